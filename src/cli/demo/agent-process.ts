import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { LandfallError } from "../../errors.ts";
import type { PrintedEvent } from "../event-lines.ts";
import { ownProgram } from "./run-ourselves.ts";
import { spawnBound } from "./spawn-bound.ts";

/** How much of what the agent said last is told when something goes wrong. */
const lastWordsLines = 20;

/** A `landfall run --json` of its own, and the events it tells. It ends with this process, however that ends. */
export class AgentProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #waiters = new Set<(event: PrintedEvent) => void>();
  readonly #unseen: PrintedEvent[] = [];
  readonly #lastWords: string[] = [];

  /** @param env variables beside those of this process */
  constructor(configFile: string, env: NodeJS.ProcessEnv = {}) {
    this.#child = spawnBound([process.execPath, ownProgram, "run", "-c", configFile, "--json"], {
      output: ["pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    this.#ended = once(this.#child, "close").then(([code]) => code as number | null);
    const { stdout, stderr } = this.#child;
    if (stdout) createInterface({ input: stdout }).on("line", (line) => this.#tell(line));
    if (stderr) createInterface({ input: stderr }).on("line", (line) => this.#remember(line));
  }

  /**
   * The next event of this name; each event is given out once. Rejects with `cli.demo-incomplete` when the process ends
   * before, with its last words in `details`; an abort of `signal` does the same.
   */
  async event(name: PrintedEvent["event"], { signal }: { readonly signal: AbortSignal }): Promise<PrintedEvent> {
    const index = this.#unseen.findIndex(({ event }) => event === name);
    const seen = index < 0 ? undefined : this.#unseen[index];
    if (seen) {
      this.#unseen.splice(0, index + 1);
      return seen;
    }
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        this.#waiters.delete(onEvent);
        signal.removeEventListener("abort", onAbort);
        act();
      };
      const onEvent = (event: PrintedEvent): void => {
        if (event.event !== name) return;
        this.#unseen.length = 0;
        settle(() => resolve(event));
      };
      const onAbort = (): void => settle(() => reject(this.#failure(`the agent told no "${name}" in time`)));
      this.#waiters.add(onEvent);
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
      void this.#ended.then((code) =>
        settle(() => reject(this.#failure(`the agent ended with ${code ?? "a signal"} before it told "${name}"`))),
      );
    });
  }

  /** Ends the agent as a service manager would. Rejects with `cli.demo-incomplete` when it does not end well. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const code = await this.#ended;
    if (code !== 0) throw this.#failure(`the agent ended with ${code ?? "a signal"}; expected 0`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill("SIGKILL");
    await this.#ended;
  }

  #tell(line: string): void {
    const event = JSON.parse(line) as PrintedEvent;
    this.#unseen.push(event);
    for (const waiter of [...this.#waiters]) waiter(event);
  }

  #remember(line: string): void {
    this.#lastWords.push(line);
    if (this.#lastWords.length > lastWordsLines) this.#lastWords.shift();
  }

  #failure(message: string): LandfallError {
    return new LandfallError("cli.demo-incomplete", message, { details: [...this.#lastWords] });
  }
}
