import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { systemClock } from "../../../clock.ts";
import { LandfallError } from "../../../errors.ts";
import { spawnBound } from "../spawn-bound.ts";

/** `swtpm`, a software TPM with a state of its own. It ends with this process, however that ends. */
export class SoftTpm implements AsyncDisposable {
  /** As the setting `tpm` names it. */
  readonly location: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(socket: string, child: ChildProcess, ended: Promise<unknown>) {
    this.location = `swtpm:${socket}`;
    this.#child = child;
    this.#ended = ended;
  }

  /**
   * Starts it blank, as from the factory. Resolves when it takes connections.
   * Rejects with `cli.demo-incomplete` when it ends before, or with `signal.reason`.
   * @param directory for its state and its sockets; made here
   */
  static async start(directory: string, { signal }: { readonly signal: AbortSignal }): Promise<SoftTpm> {
    await mkdir(directory, { mode: 0o700 });
    const [data, control] = [join(directory, "data"), join(directory, "control")];
    const command = [
      ...["swtpm", "socket", "--tpm2", "--tpmstate", `dir=${directory}`, "--flags", "not-need-init,startup-clear"],
      ...["--server", `type=unixio,path=${data}`, "--ctrl", `type=unixio,path=${control}`],
    ];
    const child = spawnBound(command, { output: ["ignore", "pipe"] });
    const said: Buffer[] = [];
    child.stderr?.on("data", (bytes: Buffer) => said.push(bytes));
    const ended = once(child, "exit");
    const tpm = new SoftTpm(data, child, ended);
    try {
      while (!(await accepts(data))) {
        if (child.exitCode !== null || child.signalCode !== null) throw endedEarly(child, said);
        await systemClock.sleep(10, { signal });
      }
    } catch (error) {
      await tpm[Symbol.asyncDispose]();
      throw error;
    }
    return tpm;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.destroy();
    await this.#ended;
  }
}

function endedEarly({ exitCode, signalCode }: ChildProcess, said: readonly Buffer[]): LandfallError {
  return new LandfallError("cli.demo-incomplete", `swtpm ended with ${exitCode ?? signalCode} as it started`, {
    details: Buffer.concat(said).toString("utf8").trim().split("\n"),
  });
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
