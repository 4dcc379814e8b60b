import type { KeyObject } from "node:crypto";
import tls, { type SecureContext, type SecureContextOptions } from "node:tls";
import type { TransferListItem } from "node:worker_threads";
import { describeCause, LandfallError } from "../../errors.ts";
import type { TlsKey } from "../tls-key.ts";
import { landfallEngineFolder } from "./landfall-engine.ts";
import { SigningThread, type ThreadProgram } from "./signing-thread.ts";
import { withEnvironment } from "./with-environment.ts";

/** What an {@link EngineTlsKey} is opened with. */
export interface EngineTlsKeyOptions {
  /** Where the key lives, for people. */
  readonly location: string;
  /** The thread that signs. */
  readonly program: ThreadProgram;
  /** What the thread's signer is opened with; it is copied. */
  readonly signer: unknown;
  /** What of it is not copied, but becomes the thread's. Default: nothing. */
  readonly transfer?: readonly TransferListItem[];
}

/** A key on P-256 that hardware has, which TLS reaches through our own engine and a thread that talks to the hardware. */
export class EngineTlsKey implements TlsKey {
  readonly location: string;
  readonly #engineFolder: string;
  readonly #thread: SigningThread;
  #closed = false;

  private constructor(location: string, engineFolder: string, thread: SigningThread) {
    this.location = location;
    this.#engineFolder = engineFolder;
    this.#thread = thread;
  }

  /**
   * Opens the key and has it sign once. Rejects with `key.engine-missing` before the hardware is asked for anything,
   * and with what the hardware's signer rejects with.
   */
  static async open({ location, program, signer, transfer = [] }: EngineTlsKeyOptions): Promise<EngineTlsKey> {
    const engineFolder = await landfallEngineFolder();
    return new EngineTlsKey(location, engineFolder, await SigningThread.start(program, signer, transfer));
  }

  get publicKey(): KeyObject {
    return this.#thread.publicKey;
  }

  async secureContext(base: SecureContextOptions): Promise<SecureContext> {
    if (this.#closed) throw new LandfallError("key.unusable", `The private key ${this.location} has been closed.`);
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

  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
