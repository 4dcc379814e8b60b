import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll } from "vitest";
import { freePorts } from "./free-ports.ts";
import { systemPeer } from "./system-peer.ts";

/** How a {@link Swtpm} is reached. */
export interface SwtpmOptions {
  /** `tcp` lets tpm2-tools reach it too. Default `tcp`. */
  readonly socket?: "tcp" | "unix";
  /** Let swtpm_setup put an RSA endorsement key at 0x81010001 first, as a vendor does. Default false: a blank TPM. */
  readonly withEndorsementKey?: boolean;
}

const run = promisify(execFile);

/**
 * A software TPM with a state of its own, for one test file: it starts before the first test of the block that makes
 * it, and ends after the last. It serves one connection at a time, so the tools wait until the agent's is closed.
 */
export class Swtpm {
  readonly #folder = mkdtempSync(join(tmpdir(), "landfall-swtpm-"));
  readonly #options: SwtpmOptions;
  #child: ChildProcess | undefined;
  #port = 0;

  constructor(options: SwtpmOptions = {}) {
    this.#options = options;
    beforeAll(async () => {
      if (options.withEndorsementKey) await this.#setUp();
      await this.start();
    });
    afterAll(async () => {
      await this.kill();
      rmSync(this.#folder, { recursive: true });
    });
  }

  /** As the setting `tpm` names it. It stays the same over {@link kill} and {@link start}. */
  get location(): string {
    return this.#overUnix ? `swtpm:${this.#socketPath}` : `swtpm:127.0.0.1:${this.#port}`;
  }

  /** The process; `undefined` while it does not run. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it with the state that it has: what is persistent is there, what is transient is not. */
  async start(): Promise<void> {
    // tpm2-tools look for the control channel at the port behind.
    if (this.#port === 0 && !this.#overUnix) this.#port = await freePorts(2);
    if (!(await this.#launch())) throw new Error(`swtpm does not start at ${this.location}`);
  }

  /** Ends it at once, as a loss of power does. Does nothing when it does not run. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "close");
    child.kill("SIGKILL");
    await ended;
  }

  /** Kills it and starts it again. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Runs one of tpm2-tools against it; gives what it printed. */
  async tool(program: string, ...args: readonly string[]): Promise<string> {
    const { stdout } = await run(program, args, {
      cwd: this.#folder,
      env: { ...process.env, TPM2TOOLS_TCTI: this.tcti, TSS2_LOG: "all+none" },
    });
    return stdout;
  }

  /** How tpm2-tools and other programs over the TPM software stack name it. */
  get tcti(): string {
    if (this.#overUnix) throw new Error("tpm2-tools reach swtpm by TCP");
    return `swtpm:host=127.0.0.1,port=${this.#port}`;
  }

  /** Handles of loaded objects and sessions, as tpm2-tools list them; a TPM that everybody cleaned up after has none. */
  async leftovers(): Promise<string> {
    const lists = ["handles-transient", "handles-loaded-session", "handles-saved-session"];
    let found = "";
    for (const list of lists) found += await this.tool("tpm2_getcap", list);
    return found.trim();
  }

  /** A file in its folder, where {@link tool} runs. */
  file(name: string): string {
    return join(this.#folder, name);
  }

  get #overUnix(): boolean {
    return this.#options.socket === "unix";
  }

  get #socketPath(): string {
    return join(this.#folder, "data");
  }

  async #setUp(): Promise<void> {
    await run(peer("swtpm_setup"), [
      ...["--tpm2", "--tpmstate", this.#folder, "--createek", "--overwrite", "--pcr-banks", "sha256"],
      ...["--logfile", join(this.#folder, "setup.log")],
    ]);
  }

  /** Whether it runs and takes connections. */
  async #launch(): Promise<boolean> {
    const server = this.#overUnix
      ? [`type=unixio,path=${this.#socketPath}`, `type=unixio,path=${join(this.#folder, "control")}`]
      : [`type=tcp,port=${this.#port}`, `type=tcp,port=${this.#port + 1}`];
    const child = spawn(
      peer("swtpm"),
      [
        ...["socket", "--tpm2", "--tpmstate", `dir=${this.#folder}`, "--flags", "not-need-init,startup-clear"],
        ...["--server", server[0] ?? "", "--ctrl", server[1] ?? ""],
      ],
      { stdio: "ignore" },
    );
    let over = false;
    void once(child, "close").then(() => {
      over = true;
    });
    while (!over) {
      if (await accepts(this.#overUnix ? { path: this.#socketPath } : { port: this.#port, host: "127.0.0.1" })) {
        this.#child = child;
        return true;
      }
    }
    return false;
  }
}

function peer(program: string): string {
  const file = systemPeer(program);
  if (file === undefined) throw new Error(`there is no ${program} on this machine; see .ci/peers`);
  return file;
}

function accepts(
  target: { readonly path: string } | { readonly port: number; readonly host: string },
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(target);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // A moment's pause between two tries, so that the program gets to start.
    socket.once("error", () => setTimeout(() => resolve(false), 5));
  });
}
