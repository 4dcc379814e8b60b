import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { programFile, RunningProcess, runProcess } from "../support/landfall-process.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const folder = new ScratchFolder();

/** Runs `landfall ARGS` the way a shell does, with redirections. */
function shell(redirected: string, env: NodeJS.ProcessEnv = {}) {
  const command = `node() { "${process.execPath}" "$@"; }; ${redirected}`;
  return runProcess("bash", ["-o", "pipefail", "-c", command], { env: { PROGRAM: programFile, ...env } });
}

describe("standard streams", () => {
  test("results go to standard output, a log to standard error", async () => {
    const { out, err } = await shell('node "$PROGRAM" keys derive a --group-key-env KEY --log-level trace', {
      KEY: Buffer.alloc(32).toString("base64"),
    });
    expect(out).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
    expect(err).toBe("");
  });

  test.runIf(existsSync("/dev/full"))("a result that cannot be written is a failure", async () => {
    const { code, err } = await shell('node "$PROGRAM" --version >/dev/full');
    expect(code).toBe(1);
    expect(err).toContain("code: cli.output-failed");
    expect(err).toContain("ENOSPC");
  });

  test.runIf(existsSync("/dev/full"))("a log that cannot be written is none", async () => {
    await folder.write("faulty.toml", "x = 1");
    const { code, out } = await shell(`cd ${folder.path} && node "$PROGRAM" init --id-scope 0ne1 --registration-id a \\
      --cert c --key k -o - --log-level trace 2>/dev/full`);
    expect(code).toBe(0);
    expect(out).toContain("[provisioning]");
  });

  test("a reader that has seen enough ends a command without a word", async () => {
    const { err } = await shell('node "$PROGRAM" --help | head -1 >/dev/null');
    expect(err).toBe("");
  });
});

describe("a fault that nobody foresaw", () => {
  test.each([
    ["thrown", "throw error"],
    ["a rejection that nobody handles", "Promise.reject(error)"],
  ])("%s: names it and where it came from, shows no property, exits 1", async (_, how) => {
    const preload = await folder.write(
      "fault.mjs",
      `const error = Object.assign(new TypeError("x is not a function"), { password: "hunter2" });
      const waiting = setInterval(() => {
        if (process.listenerCount("uncaughtException") === 0) return; // the program has not begun
        clearInterval(waiting);
        ${how};
      }, 1);`,
    );
    await using crashing = new RunningProcess(process.execPath, [
      "--import",
      preload,
      programFile,
      "keys",
      "derive",
      "a",
    ]);
    expect(await crashing.exited).toBe(1);
    expect(crashing.err).toContain("landfall stopped, which it never should: x is not a function");
    expect(crashing.err).toContain("fault.mjs");
    expect(crashing.out + crashing.err).not.toContain("hunter2");
  });
});
