import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { describeCause, type ErrorCode, errorTable, isLandfallError, LandfallError } from "../../src/errors.ts";

const docs = fileURLToPath(new URL("../../docs/errors.md", import.meta.url));

function renderedTable(): string {
  const rows = Object.entries(errorTable).map(
    ([code, { summary, retry, remedy }]) => `| \`${code}\` | ${summary} | ${retry} | ${remedy} |`,
  );
  return [
    "# Errors",
    "",
    "Every error of landfall is a `LandfallError` with one of these codes. Codes are never renumbered or reused.",
    "This page is generated from the table in `src/errors.ts`.",
    "",
    "Retry: `never` — somebody has to change something first; `backoff` — the agent tries again after a growing,",
    "random delay; `after` — the service named the delay.",
    "",
    "| code | what happened | retry | what to do |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

describe("the error table", () => {
  test("is what docs/errors.md says", () => {
    if (process.env.UPDATE_DOCS) writeFileSync(docs, renderedTable());
    expect(readFileSync(docs, "utf8")).toBe(renderedTable());
  });

  test("gives every code an area, a summary and a remedy in whole sentences", () => {
    for (const [code, { summary, remedy }] of Object.entries(errorTable)) {
      expect(code).toMatch(/^[a-z]+\.[a-z0-9-]+$/);
      expect(summary, code).toMatch(/\.$/);
      expect(remedy, code).toMatch(/[.)]$/);
    }
  });
});

describe("LandfallError", () => {
  test("takes retry class and remedy from the table", () => {
    const error = new LandfallError("provisioning.throttled", "slow down", { retryAfterMs: 3000 });
    expect(error.retry).toBe("after");
    expect(error.retryAfterMs).toBe(3000);
    expect(error.remedy).toBe(errorTable["provisioning.throttled"].remedy);
  });

  test("is recognised across copies of the package by its brand, never by name or message", () => {
    const foreign = Object.assign(new Error("x"), { [Symbol.for("landfall.error")]: true });
    expect(isLandfallError(new LandfallError("hub.closed", "x"))).toBe(true);
    expect(isLandfallError(foreign)).toBe(true);
    expect(isLandfallError(Object.assign(new Error("x"), { name: "LandfallError", code: "hub.closed" }))).toBe(false);
    expect(isLandfallError(undefined)).toBe(false);
  });

  test("prints as JSON with code, service report and cause, without a stack", () => {
    const error = new LandfallError("provisioning.unauthorized", "refused", {
      cause: Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }),
      service: { errorCode: 401002, trackingId: "t" },
      details: ["one"],
    });
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: "provisioning.unauthorized" satisfies ErrorCode,
      message: "refused",
      retry: "never",
      remedy: errorTable["provisioning.unauthorized"].remedy,
      service: { errorCode: 401002, trackingId: "t" },
      details: ["one"],
      cause: "ECONNRESET: socket hang up",
    });
  });
});

describe("describeCause", () => {
  test("speaks for all parts of an aggregate", () => {
    expect(describeCause(new AggregateError([new Error("a"), new Error("b")]))).toBe("a; b");
  });
  test("takes anything that can be thrown", () => {
    expect(describeCause("text")).toBe("text");
    expect(describeCause({ a: 1 })).toBe("{ a: 1 }");
    expect(describeCause(undefined)).toBe("undefined");
  });
});
