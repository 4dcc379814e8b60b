import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { Duplex, type Readable, type Writable } from "node:stream";

/**
 * A pseudo terminal, whose other side is a serial device that a program can open: `script` makes it, which is part of
 * every Debian.
 */
export class PseudoTerminal {
  /** Where programs find the device: a link, so that it can come back under its name. */
  readonly path: string;
  /** This side: what the program writes comes out, what is written goes to the program. */
  readonly stream: Duplex;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;

  static async open(path: string): Promise<PseudoTerminal> {
    const child = spawn("script", ["-qfc", "stty raw -echo; tty; exec sleep 1000000", "/dev/null"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    let text = "";
    while (!text.includes("\n")) text += String(((await once(child.stdout, "data")) as [Buffer])[0]);
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true });
    symlinkSync(text.trim(), path);
    return new PseudoTerminal(path, child);
  }

  private constructor(path: string, child: ChildProcessByStdio<Writable, Readable, null>) {
    this.path = path;
    this.#child = child;
    this.stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
    this.stream.on("error", () => {});
  }

  /** Takes the device away, as unplugging does. */
  async close(): Promise<void> {
    rmSync(this.path, { force: true });
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
