import { execFileSync } from "node:child_process";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runMethodCommand } from "../../../src/agent/method-command.ts";
import type { JsonValue } from "../../../src/json.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";

interface Overrides {
  readonly timeoutMs?: number;
  readonly maxOutputBytes?: number;
}

const run = (command: readonly string[], payload: JsonValue = null, overrides: Overrides = {}) =>
  runMethodCommand({ command, timeoutMs: 30_000, maxOutputBytes: 65_536, ...overrides }, payload, {
    clock: new FakeClock(),
  });
const sh = (script: string, ...args: string[]): string[] => ["/bin/sh", "-c", script, "sh", ...args];

describe("a direct method that runs a command", () => {
  test("answers 200 with the output when the command exits with 0", async () => {
    expect(await run(sh("echo out; echo err >&2"))).toEqual({
      status: 200,
      payload: { exitCode: 0, stdout: "out\n", stderr: "err\n", truncated: false },
    });
  });

  test("answers 500 with the exit code when it does not", async () => {
    expect(await run(sh("echo broken >&2; exit 3"))).toEqual({
      status: 500,
      payload: { exitCode: 3, stdout: "", stderr: "broken\n", truncated: false },
    });
  });

  test("answers 500 when the command is killed by a signal", async () => {
    expect(await run(sh("kill -TERM $$"))).toMatchObject({ status: 500, payload: { exitCode: null } });
  });

  test.each([
    ["does not exist", ["/no/such/program"], "ENOENT"],
    ["is not executable", ["/etc/passwd"], "EACCES"],
    ["has a name that no program can have", ["a\0b"], "null bytes"],
  ])("answers 500 when the program %s", async (_, command, reason) => {
    expect(await run(command)).toMatchObject({
      status: 500,
      payload: { exitCode: null, stdout: "", stderr: expect.stringContaining(reason) },
    });
  });

  test("gives the request to the command as JSON on its standard input", async () => {
    expect(await run(["/bin/cat"], { delay: 5, name: "ü" })).toMatchObject({
      status: 200,
      payload: { stdout: { delay: 5, name: "ü" } },
    });
  });

  test("does not mind a command that ignores its input", async () => {
    const large = "x".repeat(100_000);
    expect(await run(["/bin/true"], large)).toMatchObject({ status: 200 });
  });

  test("passes arguments as they are: no shell reads them", async () => {
    const awkward = "$(id) `id` ; rm -rf / | * \"'";
    expect(await run(["/usr/bin/printf", "%s", awkward])).toMatchObject({ payload: { stdout: awkward } });
  });

  test("hands over output that is JSON as JSON, and other output as text", async () => {
    expect(await run(sh(`echo '{"level":[1,2]}'`))).toMatchObject({ payload: { stdout: { level: [1, 2] } } });
    expect(await run(sh(`echo '{"level":'`))).toMatchObject({ payload: { stdout: '{"level":\n' } });
    expect(await run(sh("echo 42"))).toMatchObject({ payload: { stdout: 42 } });
  });

  test("does not hand the agent's environment over, where secrets may be", async () => {
    process.env.LANDFALL_TEST_SECRET = "c2VjcmV0";
    try {
      const { payload } = await run(["/usr/bin/env"]);
      expect(JSON.stringify(payload)).toContain("PATH=");
      expect(JSON.stringify(payload)).not.toContain("c2VjcmV0");
    } finally {
      delete process.env.LANDFALL_TEST_SECRET;
    }
  });
});

describe("the output of a command", () => {
  test("is kept up to its limit, both streams together, and the command is not held up by the rest", async () => {
    const { status, payload } = await run(sh("head -c 300000 /dev/zero | tr '\\0' x; echo never-seen >&2"), null, {
      maxOutputBytes: 1000,
    });
    expect(status).toBe(200);
    expect(payload).toEqual({ exitCode: 0, stdout: "x".repeat(1000), stderr: "", truncated: true });
  });

  test("is not cut in the middle of a character", async () => {
    expect(await run(sh("printf 'aüü'"), null, { maxOutputBytes: 4 })).toMatchObject({
      payload: { stdout: "aü", truncated: true },
    });
  });

  test("never makes an answer that is too large for the hub, whatever it takes to write it as JSON", async () => {
    const { payload } = await run(sh("head -c 65536 /dev/zero"));
    expect(payload).toMatchObject({ truncated: true });
    expect(JSON.stringify(payload).length).toBeLessThanOrEqual(131_072);
    expect(JSON.stringify(payload).length).toBeGreaterThan(60_000);
  });

  test("that is nested too deep to be written again as JSON stays text", async () => {
    const { status, payload } = await run(
      sh("head -c 30000 /dev/zero | tr '\\0' '['; head -c 30000 /dev/zero | tr '\\0' ']'"),
    );
    expect(status).toBe(200);
    expect(() => JSON.stringify(payload)).not.toThrow();
  });
});

describe("a command that does not end", () => {
  let directory: string;
  let pipe: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "landfall-command-"));
    pipe = join(directory, "alive");
    execFileSync("mkfifo", [pipe]);
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** Resolves once somebody holds the pipe open for writing; `gone` resolves once nobody does any more. */
  async function holder(): Promise<{ readonly gone: Promise<string> }> {
    const reader = await open(pipe, "r");
    return { gone: reader.readFile("utf8").finally(() => reader.close()) };
  }

  test("is killed at its time limit with everything it has started, and answered with 504", async () => {
    const clock = new FakeClock();
    const settings = { command: sh('sleep 1000 > "$1" & wait', pipe), timeoutMs: 5000, maxOutputBytes: 100 };
    const running = runMethodCommand(settings, null, { clock });
    const { gone } = await holder();
    await clock.advance(5000);
    expect(await running).toEqual({
      status: 504,
      payload: { exitCode: null, stdout: "", stderr: "", truncated: false },
    });
    await gone;
  });

  test("but has left somebody behind who holds its output: answered at once, and the other one is ended", async () => {
    const running = run(sh('exec 3> "$1"; sleep 1000 & echo done', pipe));
    const { gone } = await holder();
    expect(await running).toMatchObject({ status: 200, payload: { stdout: "done\n" } });
    await gone;
  });

  test("is killed on abort, and the call rejects with the reason", async () => {
    const stop = new AbortController();
    const reason = new Error("the caller has gone");
    const clock = new FakeClock();
    const settings = { command: sh('exec sleep 1000 > "$1"', pipe), timeoutMs: 5000, maxOutputBytes: 100 };
    const running = runMethodCommand(settings, null, { clock, signal: stop.signal });
    const { gone } = await holder();
    stop.abort(reason);
    await expect(running).rejects.toBe(reason);
    await gone;
    expect(clock.pending).toEqual([]);
  });

  test("is not even started once the signal has aborted", async () => {
    const reason = new Error("too late");
    const settings = { command: ["/bin/true"], timeoutMs: 5000, maxOutputBytes: 100 };
    await expect(runMethodCommand(settings, null, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
