import { createPublicKey, type KeyObject, randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { extname, join } from "node:path";
import { type TransferListItem, Worker } from "node:worker_threads";
import { LandfallError } from "../../errors.ts";
import { makePrivateFolder } from "../private-folder.ts";
import type { SigningThreadData, SigningThreadNews, SigningThreadOrder } from "./signing-messages.ts";

/** The program of a thread. */
export interface ThreadProgram {
  readonly file: URL;
  /** Which thread is meant, where one file is the program of several. */
  readonly argument?: string;
}

/** The thread whose module stands beside the one with the address `beside`, and is compiled if that one is. */
export function threadBeside(beside: string, name: string): ThreadProgram {
  return { file: new URL(`./${name}${extname(beside)}`, beside) };
}

/**
 * A thread in which a `DigestSigner` serves the engine. It has to be another one than this, because TLS lets this one do
 * nothing until it has its signature.
 */
export class SigningThread implements AsyncDisposable {
  readonly publicKey: KeyObject;
  /** What the engine is given as the name of the key. It holds the token, so it is not for logs. */
  readonly keyName: string;
  /** Resolves when the thread has ended, of its own or because it was told to. */
  readonly ended: Promise<void>;
  readonly #worker: Worker;
  readonly #socketPath: string;
  readonly #release: () => void;
  #closing: Promise<void> | undefined;

  private constructor(
    worker: Worker,
    { token, socketPath }: Pick<SigningThreadData, "token" | "socketPath">,
    spki: Buffer,
    release: () => void,
  ) {
    this.#worker = worker;
    this.ended = new Promise((resolve) => worker.once("exit", () => resolve()));
    this.publicKey = createPublicKey({ key: spki, type: "spki", format: "der" });
    this.keyName = `${token}:${spki.toString("base64")}:${socketPath}`;
    this.#socketPath = socketPath;
    this.#release = release;
  }

  /**
   * Starts the thread; resolves when its key has signed once. Rejects with the error that its signer met, or with
   * `key.hardware-failed` when it ends without a word.
   * @param signer handed to the thread's signer; it is copied
   * @param transfer what of it is not copied, but becomes the thread's
   */
  static async start(
    program: ThreadProgram,
    signer: unknown,
    transfer: readonly TransferListItem[] = [],
  ): Promise<SigningThread> {
    const folder = makePrivateFolder();
    // The socket's folder must not outlive the process, which may be told to end at any time.
    const release = (): void => rmSync(folder, { recursive: true, force: true });
    process.once("exit", release);
    const data: SigningThreadData = {
      socketPath: join(folder, "sign"),
      token: randomBytes(32).toString("hex"),
      signer,
    };
    const { file, argument } = program;
    const argv = argument === undefined ? [] : [argument];
    const worker = new Worker(file, { workerData: data, transferList: [...transfer], argv });
    try {
      const spki = Buffer.from(await untilReady(worker));
      // An agent that is done may end although the thread still could sign.
      worker.unref();
      worker.on("error", () => {}); // the thread has ended; the engine then says that nobody answers
      return new SigningThread(worker, data, spki, () => {
        process.off("exit", release);
        release();
      });
    } catch (error) {
      process.off("exit", release);
      release();
      await worker.terminate();
      throw error;
    }
  }

  /**
   * Whether the engine can have it sign: the thread lives, and so does its socket, which a system may take away from under it
   * with everything that a user has in memory once he logs out.
   */
  get isReachable(): boolean {
    return !this.#hasEnded && existsSync(this.#socketPath);
  }

  /** Resolves when the thread has let go of its key and ended. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    if (!this.#hasEnded) {
      this.#worker.ref();
      this.#worker.postMessage("close" satisfies SigningThreadOrder);
      await this.ended;
    }
    this.#release();
  }

  get #hasEnded(): boolean {
    return this.#worker.threadId === -1;
  }
}

async function untilReady(worker: Worker): Promise<Uint8Array> {
  const told = await firstNews(worker);
  if (told.kind === "ready") return told.spki;
  throw new LandfallError(told.code, told.message);
}

function firstNews(worker: Worker): Promise<SigningThreadNews> {
  const noWord = (cause?: unknown): LandfallError =>
    new LandfallError("key.hardware-failed", "The thread that signs ended without a word.", { cause });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", (error) => reject(noWord(error)));
    worker.once("exit", () => reject(noWord()));
  });
}
