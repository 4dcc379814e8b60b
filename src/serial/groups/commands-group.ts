import { type Clock, systemClock } from "../../clock.ts";
import { AnswerFields } from "../answer-fields.ts";
import type { CborValue } from "../cbor.ts";
import type { SmpCallOptions, SmpClient } from "../smp-client.ts";

/** A command for the MCU. */
export interface McuCommand {
  /** Tells this command from every other; up to 36 characters. Saying it twice executes it once. */
  readonly id: string;
  /** The life of the firmware that it is for, from its identity: what another life did with it, nobody knows. */
  readonly boot: number | bigint;
  readonly name: string;
  readonly args?: CborValue;
}

/** What became of a command. */
export interface McuCommandResult {
  /** As HTTP has it: 200 done, 404 no such command … */
  readonly status: number;
  /** Absent when the command has nothing to say. */
  readonly result?: CborValue;
}

/** How long to wait before asking again for a command that takes its time, in milliseconds. */
const askAgainMs = 250;

/** Group 72: commands, each executed at most once. */
export class CommandsGroup {
  readonly #client: SmpClient;
  readonly #clock: Clock;

  constructor(client: SmpClient, clock: Clock = systemClock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** The commands that there are. */
  async names(options?: SmpCallOptions): Promise<readonly string[]> {
    const body = await this.#client.request({ operation: "read", group: 72, command: 1 }, options);
    return new AnswerFields("the list of commands", body).texts("names");
  }

  /**
   * Has a command executed and resolves once it has been. Wait with a signal: a command may take as long as it likes.
   * Rejects with a refusal that `is("badState")` when the firmware has started anew: whether it was executed is unknown.
   */
  async execute({ id, boot, name, args }: McuCommand, { signal }: SmpCallOptions = {}): Promise<McuCommandResult> {
    const body = { id, boot, name, ...(args === undefined ? {} : { args }) };
    for (;;) {
      // Repeatable, for the MCU knows the id again and answers what it answered.
      const request = { operation: "write", group: 72, command: 0, body, repeatable: true, timeoutMs: 2_000 } as const;
      const answer = await this.#client.request(request, { signal });
      const status = new AnswerFields("the command's answer", answer).optionalCount("status", 999);
      if (status !== undefined) return answer.result === undefined ? { status } : { status, result: answer.result };
      await this.#clock.sleep(askAgainMs, { signal });
    }
  }
}
