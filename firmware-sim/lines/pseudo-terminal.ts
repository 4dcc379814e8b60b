import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, lstatSync, openSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { Duplex, type Readable } from "node:stream";
import { LandfallError } from "../../src/errors.ts";
import type { AttachLine, Line } from "./line.ts";

/** What makes the terminal: `script` is part of every Debian, `socat` is on many machines. */
export type TerminalMaker = "script" | "socat";

/** Where a pseudo terminal is to be had. */
export interface PseudoTerminalOptions {
  /** Default `script`. */
  readonly maker?: TerminalMaker;
  /** A link to the device, so that it comes back under its name. Default: the device's own name, another each time. */
  readonly link?: string | undefined;
}

/**
 * A serial device, as far as programs can tell: a pseudo terminal. It goes away with this process, however that ends.
 * Rejects with `simulator.rejected` when the program that makes it is missing, or something else is where the link shall be.
 */
export async function openPseudoTerminal(
  attach: AttachLine,
  { maker = "script", link }: PseudoTerminalOptions = {},
): Promise<Line> {
  const child = spawn(maker, maker === "script" ? scriptWords() : ["-d", "-d", "pty,raw,echo=0", "-"]);
  const exited = once(child, "exit").catch(() => {});
  let device: string;
  let held: number;
  try {
    device = await deviceOf(child, maker);
    // A terminal that nobody has open hangs up.
    held = openSync(device, constants.O_RDWR | constants.O_NOCTTY);
    if (link !== undefined) place(link, device);
  } catch (cause) {
    child.kill("SIGKILL");
    const where = link === undefined ? "" : ` at ${link}`;
    throw new LandfallError("simulator.rejected", `no pseudo terminal could be made with ${maker}${where}`, { cause });
  }
  child.stderr.resume();
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  stream.on("error", () => {});
  attach(stream);
  let closed = false;
  const close = async (): Promise<void> => {
    if (!closed) {
      closed = true;
      closeSync(held);
      if (link !== undefined && pointsTo(link, device)) rmSync(link);
      child.kill("SIGKILL");
    }
    await exited;
  };
  return { address: link ?? device, close, [Symbol.asyncDispose]: close };
}

/** Raw, so that bytes stay as they are; the terminal ends with this process. */
function scriptWords(): string[] {
  return ["-qfc", `stty raw -echo; tty; exec tail --pid=${process.pid} -f /dev/null`, "/dev/null"];
}

/** The name of the device, which `script` prints through the terminal and `socat` among its notices. */
async function deviceOf(child: ChildProcess, maker: TerminalMaker): Promise<string> {
  const failed = once(child, "error").then(([error]) => Promise.reject(error));
  const [output, pattern] = maker === "script" ? [child.stdout, /^(\S+)\r?\n/] : [child.stderr, /PTY is (\S+)\n/];
  return Promise.race([failed, find(output as Readable, pattern)]);
}

async function find(output: Readable, pattern: RegExp): Promise<string> {
  let text = "";
  for (;;) {
    const chunk = output.read() as Buffer | null;
    if (chunk === null) {
      await once(output, "readable");
      if (output.readableEnded) throw new Error(`it ended: ${text}`);
      continue;
    }
    text += chunk;
    const found = pattern.exec(text)?.[1];
    if (found !== undefined) return found;
  }
}

/** Makes a link, in the place of one that a former terminal left. */
function place(link: string, device: string): void {
  const former = lstatSync(link, { throwIfNoEntry: false });
  if (former?.isSymbolicLink()) rmSync(link);
  symlinkSync(device, link);
}

function pointsTo(link: string, device: string): boolean {
  try {
    return readlinkSync(link) === device;
  } catch {
    return false;
  }
}
