import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { lacks } from "./system-peer.ts";

const run = promisify(execFile);
const home = fileURLToPath(new URL("../../firmware-sim/c/", import.meta.url));
const built = (name: string): string => join(home, "build", name);

/**
 * What the sample firmware is built for, by the name of its target in the Makefile. `sanitized` is the program for the
 * host, which ends with a report at the first access out of bounds.
 */
export type Board = "host" | "sanitized" | "mps2-an385";

/** Whether tests on a board are passed over on this machine. */
export function lacksBoard(board: Board): boolean {
  const needed = board === "mps2-an385" ? ["arm-none-eabi-gcc", "qemu-system-arm"] : ["gcc"];
  return ["make", "flock", ...needed].some((program) => lacks(program));
}

/** Runs make for targets of the firmware's; gives what it printed. Several test files may do so at the same time. */
export async function makeFirmware(...targets: readonly string[]): Promise<string> {
  await mkdir(built("."), { recursive: true });
  // Two makes would write the same objects.
  const { stdout } = await run("flock", [built("lock"), "make", "-j2", "-C", home, ...targets], { maxBuffer: 1 << 24 });
  return stdout;
}

/** A program that `make tests` built. */
export const testProgram = (name: "codec" | "power-cut"): string => built(join("test", name));

/** Writes an identity page into a flash file, as the firmware's README says. */
export async function provision(flash: string, identity: Readonly<Record<string, string>>): Promise<void> {
  const words = Object.entries(identity).flatMap(([name, value]) => [`--${name}`, value]);
  await run(process.execPath, [join(home, "provision.mjs"), "--flash", flash, ...words]);
}

/** The firmware at work. */
export class RunningFirmware implements AsyncDisposable {
  readonly #child;
  readonly #ended: Promise<unknown>;
  #output = "";

  constructor(program: string, words: readonly string[]) {
    this.#child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
    this.#ended = once(this.#child, "close");
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on("data", (chunk) => {
        this.#output += chunk;
      });
    }
  }

  /** What the program that runs it printed, which is nothing of the firmware's own. */
  get output(): string {
    return this.#output;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Takes its power away. */
  async cutPower(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** Waits until `ready`, which nobody announces. */
  async until(ready: () => boolean): Promise<this> {
    while (!ready()) {
      if (this.hasEnded) throw new Error(`the firmware ended: ${this.#output}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cutPower();
  }
}

/** Starts the firmware on a board, over a flash file that it makes when there is none; its line is a Unix socket. */
export async function startFirmware(
  board: Board,
  { flash, socket }: { readonly flash: string; readonly socket: string },
): Promise<RunningFirmware> {
  rmSync(socket, { force: true });
  const firmware =
    board === "mps2-an385"
      ? new RunningFirmware("qemu-system-arm", qemuWords(flash, socket))
      : new RunningFirmware(built(`${board}/landfall-mcu`), ["--flash", flash, "--socket", socket]);
  return firmware.until(() => isListening(socket));
}

/** Whether somebody listens at a Unix socket, by the table of all that there are: its file is there a moment before. */
function isListening(path: string): boolean {
  const listens = "00010000";
  const rows = readFileSync("/proc/net/unix", "utf8").split("\n");
  return rows.some((row) => row.endsWith(` ${path}`) && row.split(" ")[3] === listens);
}

/** Starts the firmware as a program behind a pseudo-terminal, whose path it gives as well. */
export async function startFirmwareOnTerminal(flash: string): Promise<{ firmware: RunningFirmware; path: string }> {
  const firmware = new RunningFirmware(built("host/landfall-mcu"), ["--flash", flash, "--pty"]);
  await firmware.until(() => firmware.output.includes("\n"));
  return { firmware, path: firmware.output.trim().replace(/^uart /, "") };
}

function qemuWords(flash: string, socket: string): string[] {
  return [
    ["-M", "mps2-an385", "-display", "none", "-monitor", "none"],
    ["-serial", `unix:${socket},server=on,wait=on`],
    ["-semihosting-config", `enable=on,target=native,arg=landfall-mcu,arg=${flash}`],
    ["-kernel", built("mps2-an385/landfall-mcu.elf")],
  ].flat();
}
