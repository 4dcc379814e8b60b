import { describeCause, isLandfallError } from "../../errors.ts";
import { CommandsGroup } from "../../serial/groups/commands-group.ts";
import type { Agent } from "../agent.ts";
import type { McuDuty } from "./mcu-duty.ts";
import { callMcu } from "./mcu-method.ts";

/** How often the MCU is asked for its commands, in milliseconds: other firmware may have others. */
const askAgainMs = 60_000;

/** A command may take its time; the caller's own limit comes first, which is 30 s unless he asks for more. */
const methodTimeoutMs = 300_000;

/**
 * Has the MCU answer the direct methods that it has commands for, until the duty's signal aborts. A method that has a
 * handler already keeps it.
 * Resolves at the end, or when the firmware has no commands. Never rejects.
 */
export async function serveMethods(agent: Pick<Agent, "onMethod">, duty: McuDuty): Promise<void> {
  const { clock, log, signal } = duty;
  const methods = new McuMethods(agent, duty);
  try {
    while (!signal.aborted && (await methods.refresh())) await clock.sleep(askAgainMs, { signal });
  } catch (error) {
    if (!signal.aborted) log.error(`the methods of the MCU have ended: ${describeCause(error)}`, { error });
  } finally {
    methods.close();
  }
}

/** The methods that are the MCU's at present. */
class McuMethods {
  readonly #agent: Pick<Agent, "onMethod">;
  readonly #duty: McuDuty;
  readonly #commands: CommandsGroup;
  /** By name; `undefined` for a method that somebody else handles. */
  readonly #served = new Map<string, Disposable | undefined>();

  constructor(agent: Pick<Agent, "onMethod">, duty: McuDuty) {
    this.#agent = agent;
    this.#duty = duty;
    this.#commands = new CommandsGroup(duty.link, duty.clock);
  }

  /** Asks the MCU what it can do. Resolves with whether asking again makes sense. */
  async refresh(): Promise<boolean> {
    const { log, signal } = this.#duty;
    try {
      this.#follow(await this.#commands.names({ signal }));
    } catch (error) {
      signal.throwIfAborted();
      if (isLandfallError(error) && error.code === "smp.unsupported") return false;
      log.debug(() => `the MCU could not be asked for its commands: ${describeCause(error)}`);
    }
    return true;
  }

  /** Serves none any more. */
  close(): void {
    this.#follow([]);
  }

  #follow(names: readonly string[]): void {
    for (const [name, registration] of this.#served) {
      if (names.includes(name)) continue;
      registration?.[Symbol.dispose]();
      this.#served.delete(name);
    }
    for (const name of names) {
      if (!this.#served.has(name)) this.#served.set(name, this.#serve(name));
    }
  }

  #serve(name: string): Disposable | undefined {
    const { link, clock, log } = this.#duty;
    try {
      return this.#agent.onMethod(
        name,
        ({ payload }, { signal }) => callMcu(link, { name, payload }, { clock, signal }),
        {
          timeoutMs: methodTimeoutMs,
        },
      );
    } catch (error) {
      log.warn(`the command ${JSON.stringify(name)} of the MCU is not served: ${describeCause(error)}`);
      return undefined;
    }
  }
}
