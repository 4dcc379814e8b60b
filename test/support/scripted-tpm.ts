import type { OpenTpmDevice } from "../../src/keys/tpm/tpm-device.ts";

/** What a {@link ScriptedTpm} does with a command: answers with hexadecimal bytes, or otherwise. */
export type TpmReaction = string | Promise<string> | (() => string | Promise<string>);

/** The response to a command that succeeded without more to tell. */
export const success = "80010000000a00000000";

/** The response to a command that was refused with this code. */
export function refusal(code: number): string {
  return `80010000000a${code.toString(16).padStart(8, "0")}`;
}

/** A TPM that answers by a script: it keeps what it was sent, and whose turn it was. */
export class ScriptedTpm {
  /** Commands, hexadecimal, oldest first. */
  readonly sent: string[] = [];
  /** Lines that were opened, and those that are open. */
  opened = 0;
  lines = 0;
  readonly #reactions: TpmReaction[];
  readonly #otherwise: TpmReaction;

  /** @param otherwise when the script is at its end */
  constructor(reactions: readonly TpmReaction[] = [], otherwise: TpmReaction = success) {
    this.#reactions = [...reactions];
    this.#otherwise = otherwise;
  }

  readonly open: OpenTpmDevice = async () => {
    this.opened += 1;
    this.lines += 1;
    let closed = false;
    return {
      transmit: async (command, { signal } = {}) => {
        this.sent.push(Buffer.from(command).toString("hex"));
        const reaction = this.#reactions.shift() ?? this.#otherwise;
        const answer = Promise.resolve(typeof reaction === "function" ? reaction() : reaction);
        const aborted = new Promise<never>((_, reject) => {
          signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
        return Buffer.from(await Promise.race([answer, aborted]), "hex");
      },
      close: async () => {
        if (!closed) this.lines -= 1;
        closed = true;
      },
    };
  };
}
