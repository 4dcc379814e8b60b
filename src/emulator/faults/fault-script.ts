import { LandfallError } from "../../errors.ts";
import { type Fault, type FaultKind, faultOfNumbers, kindOf } from "./fault.ts";

/** A fault that was served. */
export interface ServedFault<Step extends string = string, F extends Fault = Fault> {
  /** Whose request it was: a registration id at DPS, a device id at a hub. */
  readonly id: string;
  readonly step: Step;
  readonly fault: F;
}

/** What a {@link FaultScript} is made with. */
export interface FaultScriptParts<Step extends string> {
  /** The steps that each kind of fault can be scripted for. */
  readonly steps: Readonly<Partial<Record<FaultKind, readonly Step[]>>>;
  /** Brings ids that mean the same device into one form. Default: each stands for itself. */
  readonly fold?: (id: string) => string;
}

/** Faults on demand: scripted for the next requests of a device, served in order, and recorded. */
export class FaultScript<Step extends string, F extends Fault> {
  readonly #parts: FaultScriptParts<Step>;
  readonly #waiting = new Map<string, F[]>();
  readonly #served: ServedFault<Step, F>[] = [];

  constructor(parts: FaultScriptParts<Step>) {
    this.#parts = parts;
  }

  /**
   * Serves `fault` at the next request of that kind, instead of the usual answer. Throws `emulator.rejected`: the fault does
   * not exist at this step, or a number is out of its range.
   * @param id whose request; `*` for anybody's, after those of the device's own
   * @param times how often, one after the other, 1 to 1 000 000; faults added later come after these
   */
  next(id: string, step: Step, fault: F, times = 1): void {
    const wrong = this.objectionTo(step, fault, times);
    if (wrong !== undefined) throw new LandfallError("emulator.rejected", `This fault cannot be scripted: ${wrong}.`);
    const key = this.#keyOf(id, step);
    const waiting = this.#waiting.get(key) ?? [];
    for (let time = 0; time < times; time++) waiting.push(fault);
    this.#waiting.set(key, waiting);
  }

  /** Every fault that was served, in order. */
  get served(): readonly ServedFault<Step, F>[] {
    return [...this.#served];
  }

  /** How many faults wait to be served. */
  get pending(): number {
    return [...this.#waiting.values()].reduce((sum, waiting) => sum + waiting.length, 0);
  }

  /** Forgets the faults that wait. */
  clear(): void {
    this.#waiting.clear();
  }

  /** Takes the fault for a request, if there is one. For the service. */
  take(id: string, step: Step): F | undefined {
    const own = this.#waiting.get(this.#keyOf(id, step));
    const waiting = own?.length ? own : this.#waiting.get(this.#keyOf("*", step));
    const fault = waiting?.shift();
    if (fault !== undefined) this.#served.push({ id, step, fault });
    return fault;
  }

  /** Why {@link next} would refuse a fault, in words; `undefined` when it would not. */
  objectionTo(step: Step, fault: F, times: number): string | undefined {
    const kind = kindOf(fault);
    if (kind === undefined) return "it is of no known kind";
    if (!this.#parts.steps[kind]?.includes(step)) return `there is no ${kind} at the step ${step}`;
    if (!Number.isInteger(times) || times < 1 || times > 1_000_000) return `it cannot be served ${times} times`;
    return faultOfNumbers(fault);
  }

  #keyOf(id: string, step: Step): string {
    return `${step} ${this.#parts.fold?.(id) ?? id}`;
  }
}
