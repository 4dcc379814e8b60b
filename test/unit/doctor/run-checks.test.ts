import { describe, expect, test } from "vitest";
import { type Check, defineCheck, type Outcome } from "../../../src/doctor/check.ts";
import type { CheckResult } from "../../../src/doctor/result.ts";
import { type RunOptions, runChecks } from "../../../src/doctor/run-checks.ts";
import { LandfallError } from "../../../src/errors.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { fakeContext } from "../../support/doctor-context.ts";

const failures = {
  bad: { status: "failed", when: "", cause: "a cause", remedy: "a remedy" },
  odd: { status: "warning", when: "", cause: "", remedy: "" },
  either: { status: "failed or warning", when: "", cause: "", remedy: "" },
} as const;

function check(id: string, run: Check["run"], more: Partial<Check> = {}): Check {
  return { ...defineCheck({ id, group: "config", title: id, does: "", dependsOn: [], failures, run }), ...more };
}

const fine = async (): Promise<Outcome> => ({ summary: "fine" });
const bad: Check["run"] = async (_, { found }) => ({ summary: "bad", findings: [found("bad", { text: "it is bad" })] });

async function run(checks: readonly Check[], options: Partial<RunOptions> = {}) {
  const clock = new FakeClock();
  const { results, complete } = await runChecks(checks, fakeContext({ clock }), {
    clock,
    limit: new AbortController().signal,
    ...options,
  });
  const by = (id: string): CheckResult => results.find((each) => each.id === id) as CheckResult;
  return { results, complete, by };
}

describe("a run of checks", () => {
  test("gives each its status by the worst of its findings", async () => {
    const { results } = await run([
      check("a", fine),
      check("b", async (_, { found }) => ({ summary: "", findings: [found("odd", { text: "odd" })] })),
      check("c", async (_, { found }) => ({
        summary: "",
        findings: [found("odd", { text: "" }), found("bad", { text: "" })],
      })),
      check("d", async () => ({ skipped: "nothing to look at" })),
      check("e", async (_, { found }) => ({
        summary: "",
        findings: [found("either", { text: "", status: "unknown" })],
      })),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["ok", "warning", "failed", "skipped", "unknown"]);
  });

  test("gives a finding the failure's words, unless the moment knows better", async () => {
    const { by } = await run([
      check("a", bad),
      check("b", async (_, { found }) => ({
        summary: "",
        findings: [found("bad", { text: "", cause: "this", remedy: "that" })],
      })),
    ]);
    expect(by("a").findings).toEqual([
      { code: "bad", status: "failed", text: "it is bad", cause: "a cause", remedy: "a remedy" },
    ]);
    expect(by("b").findings[0]).toMatchObject({ cause: "this", remedy: "that" });
  });

  test("skips what depends on a check that failed, and what depends on that, naming the one that is needed", async () => {
    const { by } = await run([
      check("a", bad),
      check("b", fine, { dependsOn: ["a"] }),
      check("c", fine, { dependsOn: ["b"] }),
      check("d", fine, { follows: ["a"] }),
    ]);
    expect(by("b")).toMatchObject({ status: "skipped", because: "a" });
    expect(by("c")).toMatchObject({ status: "skipped", because: "b" });
    expect(by("d").status).toBe("ok");
  });

  test("goes on after a warning, unless the check says that there is nothing to stand on", async () => {
    const odd: Check["run"] = async (_, { found }) => ({ summary: "", findings: [found("odd", { text: "" })] });
    const { by } = await run([
      check("warns", odd),
      check("stops", async (...call) => ({ ...(await odd(...call)), stops: true })),
      check("after-warning", fine, { dependsOn: ["warns"] }),
      check("after-stop", fine, { dependsOn: ["stops"] }),
      check("passes", async () => ({ skipped: "somebody else does it", stops: false })),
      check("after-pass", fine, { dependsOn: ["passes"] }),
    ]);
    expect(by("after-warning").status).toBe("ok");
    expect(by("after-stop")).toMatchObject({ status: "skipped", because: "stops" });
    expect(by("after-pass").status).toBe("ok");
  });

  test("tells apart what does not apply, what was left out and what was not allowed", async () => {
    const { by } = await run(
      [
        check("a", async () => ({ skipped: "no such service" })),
        check("b", fine, { dependsOn: ["a"] }),
        check("c", fine),
        check("d", fine, { dependsOn: ["c"] }),
        check("e", async () => ({ skipped: "only with --really", because: "--really" })),
      ],
      { excluded: new Set(["c"]) },
    );
    expect(by("a").because).toBe("not-applicable");
    expect(by("b")).toMatchObject({ because: "not-applicable", summary: "no such service" });
    expect(by("c")).toMatchObject({ status: "skipped", because: "excluded" });
    expect(by("d").because).toBe("c");
    expect(by("e").because).toBe("--really");
  });

  test("runs independent checks at one time, and tells of results in the order of the checks", async () => {
    const running: string[] = [];
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const told: string[] = [];
    const slow = check("slow", async () => {
      running.push("slow");
      await gate;
      return { summary: "" };
    });
    const quick = check("quick", async () => {
      running.push("quick");
      release();
      return { summary: "" };
    });
    await run([slow, quick], { onResult: ({ id }) => told.push(id) });
    expect(running).toEqual(["slow", "quick"]);
    expect(told).toEqual(["slow", "quick"]);
  });

  test("hands a check the results of those that it waited for, and of no others", async () => {
    let seen: string[] = [];
    await run([
      check("a", fine),
      check("b", fine),
      check("c", fine),
      check(
        "d",
        async (_, { results }) => {
          seen = [...results.keys()];
          return { summary: "" };
        },
        { dependsOn: ["a"], follows: ["b"] },
      ),
    ]);
    expect(seen).toEqual(["a", "b"]);
  });

  test("ends a check at its own deadline, and says that it does not know", async () => {
    const clock = new FakeClock();
    const never = check(
      "never",
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
      { deadlineMs: 3000 },
    );
    const running = run([never, check("b", fine, { dependsOn: ["never"] })], { clock });
    await clock.sleeping();
    await clock.advance(3000);
    const { by, complete } = await running;
    expect(by("never")).toMatchObject({ status: "unknown", summary: "did not end within 3000 ms" });
    expect(by("b").because).toBe("never");
    expect(complete).toBe(false);
  });

  test("ends everything when the time for all of it is up", async () => {
    const limit = new AbortController();
    const checks = [check("b", fine), check("never", () => new Promise(() => {}))];
    const onResult = (): void => limit.abort(new Error("enough"));
    const { by, complete } = await run(checks, { limit: limit.signal, onResult });
    expect(by("never").findings[0]?.code).toBe("cut-short");
    expect(by("b").status).toBe("ok");
    expect(complete).toBe(false);
  });

  test("takes an error of a check for something that it could not find out", async () => {
    const { by, complete } = await run([
      check("known", async () => {
        throw new LandfallError("transport.closed", "the line broke");
      }),
    ]);
    expect(by("known")).toMatchObject({ status: "unknown", summary: "the line broke" });
    expect(by("known").findings[0]?.code).toBe("error");
    expect(complete).toBe(true);
    const fault = await run([
      check("fault", async () => {
        throw new TypeError("x is not a function");
      }),
    ]);
    expect(fault.by("fault").findings[0]).toMatchObject({ code: "internal", status: "unknown" });
    expect(fault.complete).toBe(false);
  });
});
