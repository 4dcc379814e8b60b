import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { untilAborted } from "../../src/abort.ts";

describe("untilAborted", () => {
  test("gives the promise's result and takes its listener away", async () => {
    const { signal } = new AbortController();
    await expect(untilAborted(Promise.resolve(1), signal)).resolves.toBe(1);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("an abort wins over a promise that never settles", async () => {
    const abort = new AbortController();
    const waiting = untilAborted(new Promise(() => {}), abort.signal);
    abort.abort("reason");
    await expect(waiting).rejects.toBe("reason");
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
  });

  test("a failure after the abort is nobody's unhandled rejection", async () => {
    const abort = new AbortController();
    let fail: (error: Error) => void = () => {};
    const waiting = untilAborted(
      new Promise((_, reject) => {
        fail = reject;
      }),
      abort.signal,
    );
    abort.abort("reason");
    await expect(waiting).rejects.toBe("reason");
    const unhandled: unknown[] = [];
    const record = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", record);
    fail(new Error("late"));
    await new Promise<void>((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", record);
    expect(unhandled).toEqual([]);
  });
});
