import { LandfallError } from "../../errors.ts";
import { AnswerFields } from "../answer-fields.ts";
import { readPieces, roomForData } from "../pieces.ts";
import type { SmpCallOptions, SmpClient } from "../smp-client.ts";
import { Turns } from "../turns.ts";

/** Longest command and answer of a TPM, in bytes. */
const longestTpmBytes = 4096;

/** The piece that completes a command is answered once the TPM has; making an RSA key takes it up to minutes. */
const patience = { timeoutMs: 3_000, tries: 40 };

/** Commands 70/4: a TPM 2.0 behind the MCU. Commands go through whole, one at a time. */
export class TpmTunnel {
  readonly #client: SmpClient;
  readonly #turns = new Turns();
  #id: number;

  /** @param random uniform random numbers in [0, 1): a command of a former life must not look like one of this */
  constructor(client: SmpClient, random: () => number = Math.random) {
    this.#client = client;
    this.#id = Math.floor(random() * 2 ** 31);
  }

  /** Carries a command to the TPM and resolves with its answer. */
  async transmit(command: Uint8Array, { signal }: SmpCallOptions = {}): Promise<Uint8Array> {
    if (command.length === 0 || command.length > longestTpmBytes) {
      throw new LandfallError(
        "smp.too-large",
        `expected 1 to ${longestTpmBytes} bytes for the TPM, got ${command.length}`,
      );
    }
    return this.#turns.take(async () => {
      this.#id += 1;
      const id = this.#id;
      await this.#send(id, command, { signal });
      return readPieces("the TPM's answer", longestTpmBytes, (off) =>
        this.#client.request({ operation: "read", group: 70, command: 4, body: { id, off } }, { signal }),
      );
    }, signal);
  }

  async #send(id: number, command: Uint8Array, options: SmpCallOptions): Promise<void> {
    const len = command.length;
    const room = await roomForData(this.#client, { id, off: longestTpmBytes, len }, options);
    for (let off = 0, repetitions = 0; ; ) {
      const body = { id, off, len, data: command.subarray(off, off + room) };
      const fields = new AnswerFields(
        "the TPM's receipt",
        await this.#client.request(
          { operation: "write", group: 70, command: 4, body, repeatable: true, ...patience },
          options,
        ),
      );
      if (fields.optionalCount("rlen", longestTpmBytes) !== undefined) return;
      // The MCU says where to go on: it may have lost what it had.
      const next = fields.count("off", len);
      repetitions = next > off ? 0 : repetitions + 1;
      if (next === len || repetitions > 3) {
        throw new LandfallError(
          "smp.malformed",
          `the TPM's receipt: expected an answer or the next offset, got ${next}`,
        );
      }
      off = next;
    }
  }
}
