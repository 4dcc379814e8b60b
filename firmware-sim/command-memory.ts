import type { CommandResult } from "./commands.ts";

/** A command that was executed, or is being. */
export interface RememberedCommand {
  readonly name: string;
  /** Undefined while it is at work. */
  outcome: CommandResult | undefined;
}

/** So many commands are remembered as firmware has room for. */
const most = 32;

/** Remembers what the last commands came to, so that one that is asked for twice is executed once. */
export class CommandMemory {
  readonly #entries = new Map<string, RememberedCommand>();

  recall(id: string): RememberedCommand | undefined {
    return this.#entries.get(id);
  }

  /** Whether a command of that name is at work. */
  isAtWork(name: string): boolean {
    return [...this.#entries.values()].some((entry) => entry.name === name && entry.outcome === undefined);
  }

  /** A new entry; the oldest that is done makes room. Undefined while every one is at work. */
  remember(id: string, name: string): RememberedCommand | undefined {
    if (this.#entries.size >= most) {
      const oldest = [...this.#entries].find(([, { outcome }]) => outcome !== undefined);
      if (oldest === undefined) return undefined;
      this.#entries.delete(oldest[0]);
    }
    const entry: RememberedCommand = { name, outcome: undefined };
    this.#entries.set(id, entry);
    return entry;
  }
}
