import { describe, expect, test } from "vitest";
import { commands } from "../../../src/cli/commands.ts";
import { Interruption } from "../../../src/cli/interruption.ts";
import { runProgram } from "../../../src/cli/program.ts";
import { LandfallError } from "../../../src/errors.ts";
import { version } from "../../../src/version.ts";
import { fakeTerminal } from "../../support/fake-terminal.ts";

async function landfall(...args: string[]) {
  const terminal = fakeTerminal();
  const code = await runProgram({ args, env: {}, terminal, signal: new AbortController().signal });
  return { code, ...terminal.written };
}

describe("landfall", () => {
  test("without a command shows the overview on standard error and exits 2", async () => {
    const { code, out, err } = await landfall();
    expect(code).toBe(2);
    expect(out).toBe("");
    for (const { name } of commands) expect(err).toContain(`  ${name}`);
  });

  test("--help shows the same on standard output and exits 0", async () => {
    const { code, out } = await landfall("--help");
    expect(code).toBe(0);
    expect(out).toContain("landfall <command>");
  });

  test("help COMMAND is the command's own help", async () => {
    expect(await landfall("help", "run")).toEqual(await landfall("run", "--help"));
    expect(await landfall("help", "lunch")).toMatchObject({ code: 2, out: "" });
  });

  test("--version prints the version alone", async () => {
    expect(await landfall("--version")).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });

  test("an unknown command exits 2 and says which", async () => {
    const { code, err } = await landfall("lunch");
    expect(code).toBe(2);
    expect(err).toContain('unknown command "lunch"\n');
    expect(err).toContain("code: cli.usage");
    expect((await landfall("provison")).err).toContain('unknown command "provison"; did you mean "provision"?\n');
  });

  test.each([
    [["run", "--bogus"], "run: Unknown option '--bogus'"],
    [["run", "-c", "--json"], "run: Option '-c' argument is ambiguous."],
    [["mcu"], "mcu: expected info, flash or monitor, got nothing"],
    [["mcu", "toString"], 'mcu: expected info, flash or monitor, got "toString"'],
    [["keys", "make"], 'keys: expected create, csr, derive, engine or tpm, got "make"'],
    [["keys", "derive", "press-7", "--tpm", "swtpm:/s"], "keys derive: unexpected option --tpm"],
    [["mcu", "info", "--telemetry"], "mcu info: unexpected option --telemetry"],
    [["mcu", "info", "extra"], 'mcu info: unexpected argument "extra"'],
    [["mcu", "flash", "image", "extra"], 'mcu flash: unexpected argument "extra"'],
  ])("%j is told what is wrong with it in one short line", async (args, message) => {
    const { code, err } = await landfall(...args);
    expect(code).toBe(2);
    expect(err.split("\n")[0]).toBe(`error: ${message}`);
  });

  test("a result that could not be written is a failure", async () => {
    const terminal = fakeTerminal();
    const signal = AbortSignal.abort(new LandfallError("cli.output-failed", "the disk is full"));
    expect(await runProgram({ args: ["--version"], env: {}, terminal, signal })).toBe(1);
    expect(terminal.written.err).toContain("the disk is full");
  });

  test("an interrupted command says nothing, and exits as shells expect it", async () => {
    const terminal = fakeTerminal({ isTTY: true });
    const signal = AbortSignal.abort(new Interruption("SIGTERM"));
    const code = await runProgram({ args: ["init"], env: {}, terminal, signal });
    expect({ code, out: terminal.written.out }).toEqual({ code: 143, out: "" });
    expect(terminal.written.err).not.toContain("error");
  });

  test("with --json an error is a result on standard output too", async () => {
    const { code, out } = await landfall("lunch", "--json");
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ schema: "landfall.error/1", error: { code: "cli.usage" } });
  });
});

describe.each(commands.map(({ name }) => name))("landfall %s", (name) => {
  test("--help names every option", async () => {
    const entry = commands.find((command) => command.name === name);
    const command = await entry?.load();
    const { code, out } = await landfall(name, "--help");
    expect(code).toBe(0);
    for (const option of Object.keys(command?.options ?? {})) expect(out).toContain(`--${option}`);
  });

  /** 1 and 2 are what an examination comes to. */
  const usage = name === "doctor" ? 3 : 2;

  test(`refuses an unknown option with exit code ${usage}`, async () => {
    const { code, err } = await landfall(name, "--no-such-option");
    expect(code).toBe(usage);
    expect(err).toContain("--no-such-option");
  });

  test(`refuses an unknown log level with exit code ${usage}`, async () => {
    const { code, err } = await landfall(name, "--log-level", "loud");
    expect(code).toBe(usage);
    expect(err).toContain("trace, debug, info");
  });
});
