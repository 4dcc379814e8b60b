import { type ChildProcess, type StdioNull, type StdioPipe, spawn } from "node:child_process";

/** A shell that becomes the program, and leaves behind who ends it as soon as the shell's own standard input does. */
const endsWithInput = 'exec 3<&0; (read -r _ <&3; kill $$) >/dev/null 2>&1 & exec "$@" 3<&- </dev/null';

/** How {@link spawnBound} starts a program. */
export interface BoundOptions {
  /** Standard output and standard error; the program has no input. */
  readonly output: readonly [StdioNull | StdioPipe, StdioNull | StdioPipe];
  /** Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Starts a program that gets SIGTERM when this process ends, however that ends, or when the child's `stdin` is destroyed.
 */
export function spawnBound(command: readonly string[], { output, env }: BoundOptions): ChildProcess {
  const child = spawn("sh", ["-c", endsWithInput, "sh", ...command], {
    stdio: ["pipe", ...output],
    ...(env === undefined ? {} : { env }),
  });
  child.stdin?.on("error", () => {}); // nothing is written, so there is nothing to lose
  return child;
}
