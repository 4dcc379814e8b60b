/** What an MCU, or the line to it, can do wrong with a request. */
export const misbehaviourKinds = [
  /** It never arrived: nothing is executed, nothing answered. */
  "lose-request",
  /** It is executed, and the answer lost. */
  "lose-answer",
  /** The answer is damaged on its way. */
  "corrupt-answer",
  /** The answer comes twice. */
  "repeat-answer",
  /** The answer has the number of another request. */
  "wrong-sequence",
  /** It is executed and answered after `delayMs`; meanwhile nothing else is done. */
  "delay",
  /** It is answered with the fault `code` of SMP, and not executed. */
  "refuse",
  /** Log text stands between the lines of the answer, and before them. */
  "chatter",
  /** The firmware hangs: it hears nothing and says nothing until the watchdog resets it. */
  "hang",
  /** It is executed, and the firmware resets before it answers. */
  "reset",
] as const;

/** See {@link misbehaviourKinds}. */
export type MisbehaviourKind = (typeof misbehaviourKinds)[number];

/** One thing that goes wrong, and when. */
export interface Misbehaviour {
  readonly does: MisbehaviourKind;
  /** Only with requests of this group. Default: of any. */
  readonly group?: number;
  /** Only with this command. Default: with any. */
  readonly command?: number;
  /** So many fitting requests go well before. Default 0. */
  readonly after?: number;
  /** With so many requests. Default 1; `Infinity` for all. */
  readonly times?: number;
  /** For `delay`, in milliseconds. Default 1000. */
  readonly delayMs?: number;
  /** For `refuse`: a code of SMP itself. Default 10, busy. */
  readonly code?: number;
}

/** What shall go wrong, in the order in which it was asked for. */
export class MisbehaviourPlan {
  #entries: { readonly misbehaviour: Misbehaviour; after: number; times: number }[] = [];

  add(misbehaviour: Misbehaviour): void {
    const { after = 0, times = 1 } = misbehaviour;
    this.#entries.push({ misbehaviour, after, times });
  }

  /** Everything goes well from now on. */
  clear(): void {
    this.#entries = [];
  }

  /** What goes wrong with a request: the first entry that fits and is due; it counts those before. */
  next(request: { readonly group: number; readonly command: number }): Misbehaviour | undefined {
    for (const entry of this.#entries) {
      const { group = request.group, command = request.command } = entry.misbehaviour;
      if (group !== request.group || command !== request.command || entry.times <= 0) continue;
      if (entry.after > 0) {
        entry.after -= 1;
        continue;
      }
      entry.times -= 1;
      return entry.misbehaviour;
    }
    return undefined;
  }
}
