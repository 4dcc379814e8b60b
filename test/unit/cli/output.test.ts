import { describe, expect, test } from "vitest";
import { crashReport, errorJson, errorReport, exitCodeFor } from "../../../src/cli/error-report.ts";
import { lineLogger } from "../../../src/cli/log-lines.ts";
import { LandfallError } from "../../../src/errors.ts";
import { fakeTerminal } from "../../support/fake-terminal.ts";

const noon = Date.UTC(2026, 0, 1, 12);

describe("log lines", () => {
  test("carry time, level, part, message and facts", () => {
    const terminal = fakeTerminal();
    lineLogger("info", terminal.err, () => noon)
      .child("hub")
      .warn("connected", { host: "h.azure-devices.net", note: "two words", absent: undefined });
    expect(terminal.written.err).toBe(
      '2026-01-01T12:00:00.000Z warn  hub: connected host=h.azure-devices.net note="two words"\n',
    );
  });

  test("a message from a peer cannot forge a second line or steer the terminal", () => {
    const terminal = fakeTerminal();
    lineLogger("info", terminal.err, () => noon).info("a\nb\u001b[2Jc", { x: "d\ne" });
    expect(terminal.written.err.split("\n")).toHaveLength(2);
    expect(terminal.written.err).not.toContain("\u001b");
  });

  test("nor can a fact that goes with it", () => {
    const terminal = fakeTerminal();
    lineLogger("info", terminal.err, () => noon).info("x", {
      escape: "a\u001b[2J",
      controlSequence: "b\u009b2J",
      lines: { deep: "c\nd\u0085e\u2028f" },
      quote: 'g" forged="yes',
    });
    expect(terminal.written.err).toBe(
      "2026-01-01T12:00:00.000Z info  x " +
        String.raw`escape="a\u001b[2J" controlSequence="b\u009b2J" lines={"deep":"c\nd\u0085e\u2028f"} quote="g\" forged=\"yes"` +
        "\n",
    );
  });

  test.each([
    ["a terminal", { isTTY: true }, true],
    ["a pipe", { isTTY: false }, false],
    ["a terminal with NO_COLOR", { isTTY: true, env: { NO_COLOR: "1" } }, false],
    ["a pipe with FORCE_COLOR", { isTTY: false, env: { FORCE_COLOR: "1" } }, true],
    ["a dumb terminal", { isTTY: true, env: { TERM: "dumb" } }, false],
  ])("on %s", (_, options, coloured) => {
    const terminal = fakeTerminal(options);
    lineLogger("info", terminal.err, () => noon).info("x");
    expect(terminal.written.err.includes("\u001b[")).toBe(coloured);
  });
});

describe("error reports", () => {
  const error = new LandfallError("endpoint.connect-failed", "could not reach h:8883", {
    details: ["tried 10.0.0.5"],
    cause: new Error("outer", { cause: new Error("inner") }),
  });

  test("tell what happened, why, and what to do, without a stack", () => {
    const text = errorReport(error, fakeTerminal().err);
    expect(text).toContain("error: could not reach h:8883");
    expect(text).toContain("  tried 10.0.0.5");
    expect(text).toContain("  because: outer");
    expect(text).toContain("  because: inner");
    expect(text).toContain("what to do: Check routes");
    expect(text).toContain("code: endpoint.connect-failed");
    expect(text).not.toMatch(/\n\s+at /);
  });

  test("show what others said on one line", () => {
    const said = new LandfallError("transport.refused", "first\nerror: forged", {
      details: ["a\u001b[2J"],
      cause: new Error("b\rc"),
    });
    const lines = errorReport(said, fakeTerminal().err).split("\n");
    expect(lines.slice(0, 3)).toEqual([
      String.raw`error: first\nerror: forged`,
      String.raw`  a\u001b[2J`,
      String.raw`  because: b\rc`,
    ]);
  });

  test("of a crash say where, and show no property of the error", () => {
    const crash = Object.assign(new TypeError("x is not a function"), { password: "hunter2", cause: { key: "k3y" } });
    const text = crashReport(crash, fakeTerminal().err);
    expect(text).toContain("x is not a function");
    expect(text).toMatch(/\n\s+at .*output\.test\.ts/);
    expect(text).not.toMatch(/hunter2|k3y/);
  });

  test("as JSON name the schema and the code", () => {
    expect(JSON.parse(errorJson(error))).toMatchObject({
      schema: "landfall.error/1",
      error: { code: "endpoint.connect-failed", retry: "backoff" },
    });
    expect(JSON.parse(errorJson(new TypeError("x")))).toMatchObject({ error: { code: "internal", message: "x" } });
  });

  test.each([
    ["config.invalid", 2],
    ["cli.usage", 2],
    ["key.world-readable", 2],
    ["certificate.name-mismatch", 2],
    ["emulator.enrollment-file", 2],
    ["attestation.unsupported-pair", 2],
    ["attestation.unexpected-challenge", 1],
    ["tpm.wrong-password", 2],
    ["tpm.unavailable", 1],
    ["cli.output-failed", 1],
    ["provisioning.unauthorized", 1],
    ["hub.displaced", 1],
  ] as const)("%s exits %i", (code, exit) => {
    expect(exitCodeFor(new LandfallError(code, "x"))).toBe(exit);
  });
});
