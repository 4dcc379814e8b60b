import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Duplex, type Readable, type Writable } from "node:stream";
import { LandfallError } from "../../errors.ts";
import type { Port } from "../port.ts";
import type { DeviceProcessNews } from "./device-process-news.ts";
import { deviceProcessWords } from "./device-process-program.ts";

/**
 * A serial device of this machine for a thread that is not the main one: the driver reads on the main thread of its process
 * alone, so it gets a process of its own.
 */
export class DeviceInProcess implements Port {
  /** Path of the device. */
  readonly name: string;
  readonly #baudRate: number;

  constructor(path: string, baudRate: number) {
    this.name = path;
    this.#baudRate = baudRate;
  }

  async open({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Duplex> {
    signal?.throwIfAborted();
    const words = [...deviceProcessWords, this.name, String(this.#baudRate)];
    const child = spawn(process.execPath, words, { stdio: ["pipe", "pipe", "ignore", "ipc"] });
    const kill = (): void => void child.kill();
    signal?.addEventListener("abort", kill, { once: true });
    try {
      const news = await firstNews(child, this.name);
      signal?.throwIfAborted();
      if (news.kind === "failed") throw new LandfallError(news.code, news.message);
      return new ProcessStream(child);
    } catch (error) {
      kill();
      throw error;
    } finally {
      signal?.removeEventListener("abort", kill);
    }
  }
}

function firstNews(child: ChildProcess, name: string): Promise<DeviceProcessNews> {
  return new Promise((resolve, reject) => {
    const fail = (cause?: unknown): void => {
      reject(new LandfallError("serial.port-failed", `the process for ${name} ended without a word`, { cause }));
    };
    child.once("message", (news) => resolve(news as DeviceProcessNews));
    child.once("error", fail);
    child.once("exit", () => fail());
  });
}

/** What the process passes on. It ends when this is destroyed, and this when it ends. */
class ProcessStream extends Duplex {
  readonly #child: ChildProcess;
  readonly #input: Writable;

  constructor(child: ChildProcess) {
    super();
    const { stdin, stdout } = child as { readonly stdin: Writable; readonly stdout: Readable };
    this.#child = child;
    this.#input = stdin;
    stdin.on("error", () => {}); // the process has ended; "exit" follows
    stdout.on("data", (chunk: Buffer) => void this.push(chunk));
    child.once("message", (news) => {
      const { kind, ...about } = news as DeviceProcessNews;
      if (kind === "failed" && "message" in about) this.destroy(new Error(about.message));
    });
    child.once("exit", () => void this.destroy());
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#input.write(chunk)) done();
    else this.#input.once("drain", () => done());
  }

  override async _destroy(error: Error | null, done: (error: Error | null) => void): Promise<void> {
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill();
      await ended;
    }
    done(error);
  }
}
