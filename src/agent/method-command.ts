import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { untilAborted } from "../abort.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { MethodCommandSettings } from "../config/settings.ts";
import { describeCause } from "../errors.ts";
import type { JsonValue } from "../json.ts";
import type { MethodResponse } from "../transport/messages.ts";

/** Options of {@link runMethodCommand}. */
export interface MethodCommandOptions {
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Aborting kills the command and rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** What the caller of the method gets to see. */
type CommandReport = {
  /** `null` when the command did not exit by itself: it was killed, or could not be started. */
  readonly exitCode: number | null;
  /** Parsed, when the whole of it is JSON; else the text. */
  readonly stdout: JsonValue;
  readonly stderr: string;
  /** Whether output was cut. */
  readonly truncated: boolean;
};

/** IoT Hub takes no larger answer. */
const maxAnswerBytes = 131_072;

/** What a command gets of the agent's environment. No more, because secrets may be given to the agent there. */
const passedOn = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"];

/**
 * Runs the command of a direct method, with the request as JSON on its standard input. No shell is involved.
 *
 * Resolves with 200 when the command exits with 0, with 504 when it is not done after `timeoutMs` and is killed, and with
 * 500 otherwise; the payload is `{ exitCode, stdout, stderr, truncated }`. Both outputs together are kept up to
 * `maxOutputBytes`. The command runs in a process group of its own, which ends with it: what shall live on belongs to
 * the machine's service manager. Rejects only with `signal.reason`.
 */
export async function runMethodCommand(
  { command, timeoutMs, maxOutputBytes }: MethodCommandSettings,
  payload: JsonValue,
  { clock = systemClock, signal }: MethodCommandOptions = {},
): Promise<MethodResponse> {
  signal?.throwIfAborted();
  let child: Child;
  try {
    child = start(command);
  } catch (error) {
    return notStarted(command, error);
  }
  const output = new BoundedOutput(child, maxOutputBytes);
  // A command that does not read its input closes the pipe early; that is its right.
  child.stdin.on("error", () => {}).end(JSON.stringify(payload));

  const closed = once(child, "close").then(() => {});
  closed.catch(() => {});
  const finished = new AbortController();
  const expired = clock.sleep(timeoutMs, { signal: finished.signal }).then(
    () => "expired" as const,
    () => "expired" as const,
  );
  try {
    const ending = await untilAborted(Promise.race([exitOf(child), expired]), signal);
    if (ending === "expired") return { status: 504, payload: output.report(null) };
    if (ending instanceof Error) return notStarted(command, ending);
    // Whoever the command left behind may hold its output open.
    killGroup(child);
    await untilAborted(Promise.race([closed, expired]), signal);
    return { status: ending.code === 0 ? 200 : 500, payload: output.report(ending.code) };
  } finally {
    finished.abort();
    killGroup(child);
    output.stop();
  }
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

function start([program = "", ...args]: readonly string[]): Child {
  const env = Object.fromEntries(passedOn.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
  return spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], detached: true, shell: false, env });
}

/** How the command ended; an error when it could not be started at all. Never rejects. */
function exitOf(child: Child): Promise<{ readonly code: number | null } | Error> {
  return new Promise((resolve) => {
    child.once("exit", (code) => resolve({ code }));
    child.on("error", (error) => {
      if (child.pid === undefined) resolve(error);
    });
  });
}

function killGroup({ pid }: Child): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody of the group is left.
  }
}

function notStarted([program]: readonly string[], error: unknown): MethodResponse {
  const stderr = `landfall could not start ${program}: ${describeCause(error)}`;
  return { status: 500, payload: { exitCode: null, stdout: "", stderr, truncated: false } };
}

/** Reads all that a command says, so that it is never held up, and keeps the first so many bytes. */
class BoundedOutput {
  readonly #child: Child;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  #room: number;
  #truncated = false;

  constructor(child: Child, maxBytes: number) {
    this.#child = child;
    this.#room = maxBytes;
    this.#keep(child.stdout, this.#stdout);
    this.#keep(child.stderr, this.#stderr);
  }

  stop(): void {
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }

  report(exitCode: number | null): CommandReport {
    const truncated = this.#truncated;
    const [stdout, stderr] = [textOf(this.#stdout, truncated), textOf(this.#stderr, truncated)];
    const parsed = truncated ? undefined : parseJson(stdout);
    const report = { exitCode, stdout: parsed ?? stdout, stderr, truncated };
    return fits(report) ? report : shortened(exitCode, stdout, stderr);
  }

  #keep(stream: Readable, chunks: Buffer[]): void {
    stream.on("error", () => {});
    stream.on("data", (chunk: Buffer) => {
      const kept = chunk.subarray(0, this.#room);
      this.#room -= kept.length;
      this.#truncated ||= kept.length < chunk.length;
      if (kept.length > 0) chunks.push(kept);
    });
  }
}

/** In JSON, one byte of output may become six. */
function shortened(exitCode: number | null, stdout: string, stderr: string): CommandReport {
  for (let share = 1; ; share /= 2) {
    const part = (text: string): string => text.slice(0, Math.floor(text.length * share));
    const report = { exitCode, stdout: part(stdout), stderr: part(stderr), truncated: share < 1 };
    if (fits(report)) return report;
  }
}

function fits(report: CommandReport): boolean {
  try {
    return Buffer.byteLength(JSON.stringify(report)) <= maxAnswerBytes;
  } catch {
    return false; // nested deeper than can be written
  }
}

/** A cut in the middle of a character leaves that character out. */
const textOf = (chunks: readonly Buffer[], truncated: boolean): string =>
  new TextDecoder().decode(Buffer.concat(chunks), { stream: truncated });

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
