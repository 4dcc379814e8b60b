import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The built program, as a user starts it. `npm test` builds it first. */
export const programFile = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));

export interface ProcessOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Arguments for Node itself, before the program. */
  readonly nodeArgs?: readonly string[];
}

/** What a process has said so far, and a way to wait for more. */
export interface RunningProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly out: string;
  readonly err: string;
  /** The first JSON line on standard output, past or future, that `matches`. Rejects when the process ends before. */
  json(matches: (value: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  /** Resolves with the exit code (128 + signal number is not used: a killed process gives null). */
  readonly exited: Promise<number | null>;
  write(text: string): void;
}

/** Starts `landfall` with these arguments. Disposing ends it. */
export function startLandfall(args: readonly string[], options: ProcessOptions = {}): RunningProcess {
  const { LANDFALL_CONFIG: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [...(options.nodeArgs ?? []), programFile, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...inherited, NO_COLOR: "1", ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const said = { out: "", err: "" };
  const lines: Record<string, unknown>[] = [];
  const watchers = new Set<() => void>();
  child.stdout.on("data", (chunk) => {
    said.out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    said.err += chunk;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    try {
      lines.push(JSON.parse(line) as Record<string, unknown>);
    } catch {
      return;
    }
    for (const watcher of watchers) watcher();
  });
  const exited = once(child, "close").then(([code]) => code as number | null);

  return {
    child,
    exited,
    get out() {
      return said.out;
    },
    get err() {
      return said.err;
    },
    json: (matches) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = lines.find(matches);
          if (found === undefined) return;
          watchers.delete(look);
          resolve(found);
        };
        watchers.add(look);
        look();
        void exited.then((code) =>
          reject(new Error(`landfall ${args.join(" ")} ended with ${code} before it said so\n${said.out}${said.err}`)),
        );
      }),
    write: (text) => {
      child.stdin.write(text);
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Runs `landfall` to its end. */
export async function landfall(
  args: readonly string[],
  options: ProcessOptions & { readonly input?: string } = {},
): Promise<{ code: number | null; out: string; err: string }> {
  await using running = startLandfall(args, options);
  running.child.stdin?.end(options.input ?? "");
  const code = await running.exited;
  return { code, out: running.out, err: running.err };
}
