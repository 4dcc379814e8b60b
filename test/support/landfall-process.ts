import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

/** The built program, as a user starts it. `npm test` builds it first. */
export const programFile = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));

export interface ProcessOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Arguments for Node itself, before the program. */
  readonly nodeArgs?: readonly string[];
}

/** One line of JSON that a process has printed. */
export type JsonLine = Readonly<Record<string, unknown>>;

/** A little less than the time that a test has: a slow machine takes half a minute for some of what is waited for. */
const patienceMs = 50_000;

/** A running program, what it has said so far, and ways to wait for more. */
export class RunningProcess implements AsyncDisposable {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Resolves with the exit code, or with the name of the signal that killed it. */
  readonly exited: Promise<number | string>;
  readonly #title: string;
  readonly #watchers = new Set<() => void>();
  readonly #lines: JsonLine[] = [];
  #given = 0;
  #out = "";
  #err = "";
  #ended: number | string | undefined;

  constructor(command: string, args: readonly string[], { env, cwd }: Omit<ProcessOptions, "nodeArgs"> = {}) {
    this.#title = [command, ...args].join(" ");
    this.child = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1", ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    const { stdin, stdout, stderr } = this.child;
    stdin.on("error", () => {}); // a program that ends does not read the rest
    stdout.on("data", (chunk) => {
      this.#out += chunk;
      this.#look();
    });
    stderr.on("data", (chunk) => {
      this.#err += chunk;
      this.#look();
    });
    createInterface({ input: stdout }).on("line", (line) => {
      if (!line.startsWith("{")) return;
      this.#lines.push(JSON.parse(line) as JsonLine);
      this.#look();
    });
    this.exited = once(this.child, "close").then(([code, signal]) => {
      this.#ended = (code ?? signal) as number | string;
      this.#look();
      return this.#ended;
    });
  }

  get out(): string {
    return this.#out;
  }

  get err(): string {
    return this.#err;
  }

  /** Every line of JSON on standard output so far. */
  get lines(): readonly JsonLine[] {
    return this.#lines;
  }

  /** The first line of JSON, past or future, that fits. Rejects when the program ends before. */
  json(fits: (line: JsonLine) => boolean = () => true): Promise<JsonLine> {
    return this.#until(() => this.#lines.find(fits), "a line of JSON that fits");
  }

  /** The next `landfall.event/1` of this name that fits, after the one given out last. Rejects when the program ends before. */
  event(name: string, fits: (line: JsonLine) => boolean = () => true): Promise<JsonLine> {
    const find = (): JsonLine | undefined => {
      const index = this.#lines.findIndex((line, at) => at >= this.#given && line.event === name && fits(line));
      if (index < 0) return undefined;
      this.#given = index + 1;
      return this.#lines[index];
    };
    return this.#until(find, `the event "${name}"`);
  }

  /** What `pattern` finds on standard error, as soon as it is there. Rejects when the program ends before. */
  says(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#until(() => pattern.exec(this.#err) ?? undefined, `${pattern}`);
  }

  /** The same on standard output. */
  shows(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#until(() => pattern.exec(this.#out) ?? undefined, `${pattern}`);
  }

  /** Sends a signal to the program. */
  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  write(text: string): void {
    this.child.stdin.write(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended === undefined) this.child.kill("SIGKILL");
    await this.exited;
  }

  #until<T>(find: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(patience);
        this.#watchers.delete(look);
        act();
      };
      const fail = (how: string): void =>
        settle(() => reject(new Error(`${this.#title} ${how} ${what}\n${this.#out}\n${this.#err}`)));
      const look = (): void => {
        const found = find();
        if (found !== undefined) settle(() => resolve(found));
        else if (this.#ended !== undefined) fail(`ended with ${this.#ended} before`);
      };
      // Only so that a test that would fail by its time limit tells what there was instead.
      const patience = setTimeout(() => fail("came to no"), patienceMs);
      this.#watchers.add(look);
      look();
    });
  }

  #look(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** Starts `landfall` with these arguments. Disposing ends it. */
export function startLandfall(
  args: readonly string[],
  { nodeArgs = [], ...options }: ProcessOptions = {},
): RunningProcess {
  return new RunningProcess(process.execPath, [...nodeArgs, programFile, ...args], options);
}

/** How a program ended, and all that it said. */
export interface EndedProcess {
  /** The exit code, or the name of the signal that killed it. */
  readonly code: number | string;
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end. */
export async function runProcess(
  command: string,
  args: readonly string[],
  { input = "", ...options }: Omit<ProcessOptions, "nodeArgs"> & { readonly input?: string } = {},
): Promise<EndedProcess> {
  await using running = new RunningProcess(command, args, options);
  running.child.stdin.end(input);
  const code = await running.exited;
  return { code, out: running.out, err: running.err };
}

/** Runs `landfall` to its end. */
export function landfall(
  args: readonly string[],
  { nodeArgs = [], ...options }: ProcessOptions & { readonly input?: string } = {},
): Promise<EndedProcess> {
  return runProcess(process.execPath, [...nodeArgs, programFile, ...args], options);
}
