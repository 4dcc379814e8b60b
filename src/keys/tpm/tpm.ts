import { untilAborted } from "../../abort.ts";
import { type Clock, systemClock } from "../../clock.ts";
import { withDeadline } from "../../deadline.ts";
import { LandfallError } from "../../errors.ts";
import type { OpenTpmDevice, TpmDevice } from "./tpm-device.ts";
import { TpmScope } from "./tpm-scope.ts";

/** Parts of a {@link Tpm}. */
export interface TpmOptions {
  readonly open: OpenTpmDevice;
  /** Default: the machine's own. */
  readonly clock?: Clock;
  /** Milliseconds for one command. A discrete TPM may take a minute to make an RSA key. Default 120 000. */
  readonly commandTimeoutMs?: number;
}

/** Milliseconds that {@link Tpm.close} gives the command under way. */
const closingMs = 3000;

/**
 * A TPM 2.0, for one piece of work at a time. Each piece gets the line to itself, and whatever it made in the TPM's
 * small memory (sessions, loaded keys, sequences) is flushed when it ends, however it ends.
 *
 * ```
 * use(work) ──> queue ──> open the line ──> commands ──> flush what is left ──> close the line
 *    └── rejects at once on abort; the command under way is let finish, because its answer names what has to be flushed
 * ```
 */
export class Tpm implements AsyncDisposable {
  readonly #open: OpenTpmDevice;
  readonly #clock: Clock;
  readonly #commandTimeoutMs: number;
  readonly #life = new AbortController();
  readonly #hangUp = new AbortController();
  #last: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor({ open, clock = systemClock, commandTimeoutMs = 120_000 }: TpmOptions) {
    this.#open = open;
    this.#clock = clock;
    this.#commandTimeoutMs = commandTimeoutMs;
  }

  /**
   * Runs `work` once everything handed in before is done. Rejects with what `work` rejects with, with `tpm.unavailable`
   * and `tpm.timeout`, with `tpm.closed`, and with `signal.reason` at once when the signal aborts.
   */
  async use<T>(
    work: (scope: TpmScope) => Promise<T>,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    const either = signal === undefined ? this.#life.signal : AbortSignal.any([signal, this.#life.signal]);
    const turn = this.#last.then(() => this.#work(work, either));
    this.#last = turn.catch(() => {});
    return untilAborted(turn, either);
  }

  /**
   * Rejects what waits with `tpm.closed`; resolves when the command under way is done and flushed after, or when that
   * takes longer than three seconds. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#life.abort(new LandfallError("tpm.closed", "The TPM was let go of."));
    const expired = () => new LandfallError("tpm.timeout", `The TPM did not answer within ${closingMs} ms.`);
    await withDeadline(() => this.#last, { clock: this.#clock, ms: closingMs, expired }).catch((error) => {
      this.#hangUp.abort(error);
    });
    await this.#last;
  }

  async #work<T>(work: (scope: TpmScope) => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const connect = (): Promise<TpmDevice> =>
      this.#bounded("opening the TPM", (limit) => this.#open({ signal: limit }));
    const transmit = (device: TpmDevice, command: Uint8Array, name: string): Promise<Uint8Array> =>
      this.#bounded(name, (limit) => device.transmit(command, { signal: limit }));
    await using scope = await TpmScope.create({ connect, transmit, clock: this.#clock, signal });
    return await work(scope);
  }

  /** Gives `step` no more time than one command may take. */
  #bounded<T>(name: string, step: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const ms = this.#commandTimeoutMs;
    const expired = () => new LandfallError("tpm.timeout", `The TPM did not answer within ${ms} ms (${name}).`);
    return withDeadline(step, { clock: this.#clock, ms, expired, signal: this.#hangUp.signal });
  }
}
