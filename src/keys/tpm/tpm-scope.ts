import type { Clock } from "../../clock.ts";
import { isFlushable } from "./constants.ts";
import { flushContext } from "./context-commands.ts";
import { decodeResponse, encodeCommand, readResult, type TpmCommand } from "./tpm-command.ts";
import type { TpmDevice } from "./tpm-device.ts";
import { whileBusy } from "./while-busy.ts";

/** Parts of a {@link TpmScope}. */
export interface TpmScopeParts {
  /** Opens a line. */
  readonly connect: () => Promise<TpmDevice>;
  /** Sends a command over a line, within its time. */
  readonly transmit: (device: TpmDevice, command: Uint8Array, name: string) => Promise<Uint8Array>;
  readonly clock: Clock;
  /** No command is begun after it has aborted, but those that flush. */
  readonly signal: AbortSignal;
}

/** One piece of work at a TPM: its commands, and what they leave in the TPM's memory. */
export class TpmScope implements AsyncDisposable {
  readonly #parts: TpmScopeParts;
  readonly #held = new Set<number>();
  #device: TpmDevice;
  #broken = false;

  private constructor(parts: TpmScopeParts, device: TpmDevice) {
    this.#parts = parts;
    this.#device = device;
  }

  /** Opens the line. Rejects with `tpm.unavailable`, `tpm.busy` or `tpm.timeout`, and with the signal's reason. */
  static async create(parts: TpmScopeParts): Promise<TpmScope> {
    return new TpmScope(parts, await whileBusy(parts.connect, parts));
  }

  /**
   * Runs one command. A TPM that answers "not now" is asked again for about five seconds.
   * Rejects with `tpm.*`, or with the signal's reason before anything is sent.
   */
  async run<Result>(command: TpmCommand<Result>): Promise<Result> {
    return whileBusy(() => this.#exchange(command), this.#parts);
  }

  /** Frees what a handle of this scope refers to. Rejects as {@link run}. */
  async flush(handle: number): Promise<void> {
    await this.run(flushContext(handle));
  }

  /** Flushes what is left, over a new line if the old one broke, and closes the line. Never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#flushAll();
    } catch {
      // A TPM that cannot be reached any more keeps nothing: it restarts, or its resource manager cleans up.
    } finally {
      await this.#device.close();
    }
  }

  async #flushAll(): Promise<void> {
    if (this.#held.size > 0 && this.#broken) {
      await this.#device.close();
      this.#device = await whileBusy(this.#parts.connect, { clock: this.#parts.clock });
    }
    // A TPM that refuses once may have a bad moment.
    for (let attempt = 1; attempt <= 2; attempt++) {
      for (const handle of this.#held) {
        try {
          await whileBusy(() => this.#exchange(flushContext(handle)), { clock: this.#parts.clock });
        } catch (error) {
          if (this.#broken) throw error;
        }
      }
    }
  }

  async #exchange<Result>(command: TpmCommand<Result>): Promise<Result> {
    const { transmit } = this.#parts;
    const bytes = encodeCommand(command);
    let response: Uint8Array;
    try {
      this.#broken = true;
      response = await transmit(this.#device, bytes, command.name);
      this.#broken = false;
    } finally {
      // It may hold passwords.
      bytes.fill(0);
    }
    const decoded = decodeResponse(command, response);
    if (command.consumes !== undefined) this.#held.delete(command.consumes);
    const { handle } = decoded;
    if (handle !== undefined && isFlushable(handle)) this.#held.add(handle);
    return readResult(command, decoded);
  }
}
