import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** One line of `landfall run --json`. */
export interface AgentEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A `landfall run --json` of its own, and the events it tells. */
export class AgentProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #waiters = new Set<(event: AgentEvent) => void>();
  readonly #unseen: AgentEvent[] = [];
  #complaints = "";

  constructor(configFile: string) {
    const program = fileURLToPath(new URL("../main.js", import.meta.url));
    this.#child = spawn(process.execPath, [program, "run", "-c", configFile, "--json"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#ended = once(this.#child, "close").then(([code]) => code as number | null);
    if (this.#child.stdout) createInterface({ input: this.#child.stdout }).on("line", (line) => this.#tell(line));
    this.#child.stderr?.on("data", (chunk) => {
      this.#complaints = `${this.#complaints}${chunk}`.slice(-4000);
    });
  }

  /**
   * The next event of this name; each event is given out once. Rejects when the process ends before, with what it wrote
   * to standard error, and with `signal.reason`.
   */
  async event(name: string, { signal }: { readonly signal: AbortSignal }): Promise<AgentEvent> {
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
      const onEvent = (event: AgentEvent): void => {
        if (event.event !== name) return;
        this.#unseen.length = 0;
        settle(() => resolve(event));
      };
      const onAbort = (): void => settle(() => reject(new Error(`no "${name}" from the agent\n${this.#complaints}`)));
      this.#waiters.add(onEvent);
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
      void this.#ended.then((code) =>
        settle(() => reject(new Error(`the agent ended with ${code} before "${name}"\n${this.#complaints}`))),
      );
    });
  }

  /** Ends the agent as a service manager would. Resolves with its exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill("SIGKILL");
    await this.#ended;
  }

  #tell(line: string): void {
    const event = JSON.parse(line) as AgentEvent;
    this.#unseen.push(event);
    for (const waiter of [...this.#waiters]) waiter(event);
  }
}
