import type { KeyObject } from "node:crypto";
import tls, { type SecureContext, type SecureContextOptions } from "node:tls";
import { describeCause, LandfallError } from "../../errors.ts";
import { isSamePublicKey } from "../same-public-key.ts";
import type { TlsKey } from "../tls-key.ts";
import { landfallEngineFolder } from "./landfall-engine.ts";
import type { SigningThread } from "./signing-thread.ts";
import { withEnvironment } from "./with-environment.ts";

/** What an {@link EngineTlsKey} is opened with. */
export interface EngineTlsKeyOptions {
  /** Where the key lives, for people. */
  readonly location: string;
  /** Starts the thread that signs; called again after one that has ended by itself. */
  readonly start: () => Promise<SigningThread>;
}

/** The engine's words for a signature that it did not get. */
const signingFailures = /the signer of the key in hardware does not answer|the hardware did not sign/;

/** A key on P-256 that hardware has, which TLS reaches through our own engine and a thread that talks to the hardware. */
export class EngineTlsKey implements TlsKey {
  readonly location: string;
  readonly publicKey: KeyObject;
  readonly #engineFolder: string;
  readonly #start: EngineTlsKeyOptions["start"];
  #thread: SigningThread;
  #starting: Promise<void> | undefined;
  #closed = false;

  private constructor({ location, start }: EngineTlsKeyOptions, engineFolder: string, thread: SigningThread) {
    this.location = location;
    this.publicKey = thread.publicKey;
    this.#engineFolder = engineFolder;
    this.#start = start;
    this.#thread = thread;
  }

  /**
   * Opens the key and has it sign once. Rejects with `key.engine-missing` before the hardware is asked for anything,
   * and with what the hardware's signer rejects with.
   */
  static async open(options: EngineTlsKeyOptions): Promise<EngineTlsKey> {
    const engineFolder = await landfallEngineFolder();
    return new EngineTlsKey(options, engineFolder, await options.start());
  }

  /** Starts a thread that cannot be reached again first, once: should that fail, it rejects as {@link open} does. */
  async secureContext(base: SecureContextOptions): Promise<SecureContext> {
    await this.revive();
    try {
      return withEnvironment({ OPENSSL_ENGINES: this.#engineFolder }, () =>
        tls.createSecureContext({
          ...base,
          privateKeyEngine: "landfall",
          privateKeyIdentifier: this.#thread.keyName,
        }),
      );
    } catch (cause) {
      const message = `OpenSSL cannot use the engine in ${this.#engineFolder}: ${describeCause(cause)}.`;
      throw new LandfallError("key.engine-missing", message, { cause });
    }
  }

  /**
   * Starts the thread that signs again if it cannot be reached; one attempt, whoever asks meanwhile. Rejects as {@link open},
   * with `certificate.key-mismatch` when the hardware has another key by now, and with `key.unusable` after {@link close}.
   */
  async revive(): Promise<void> {
    this.#requireOpen();
    if (this.#thread.isReachable) return;
    this.#starting ??= this.#startAgain().finally(() => {
      this.#starting = undefined;
    });
    await this.#starting;
  }

  signingFailure(cause: unknown): LandfallError | undefined {
    const said = describeCause(cause);
    if (!signingFailures.test(said)) return undefined;
    return new LandfallError("key.hardware-failed", `The private key ${this.location} did not sign: ${said}.`, {
      cause,
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#starting?.catch(() => {});
    await this.#thread.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #startAgain(): Promise<void> {
    // One that lives on may hold the hardware.
    await this.#thread.close();
    const thread = await this.#start();
    try {
      this.#requireOpen();
      if (!isSamePublicKey(thread.publicKey, this.publicKey)) {
        const message = `The private key ${this.location} is another one than before.`;
        throw new LandfallError("certificate.key-mismatch", message);
      }
    } catch (error) {
      await thread.close();
      throw error;
    }
    this.#thread = thread;
  }

  #requireOpen(): void {
    if (this.#closed) throw new LandfallError("key.unusable", `The private key ${this.location} has been closed.`);
  }
}
