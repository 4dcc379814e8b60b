import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { onAbort, untilAborted } from "../../src/abort.ts";

describe("onAbort", () => {
  test("calls everybody who listens, over one listener of the signal", () => {
    const abort = new AbortController();
    const called: number[] = [];
    for (let each = 0; each < 50; each++) onAbort(abort.signal, () => called.push(each));
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(1);
    abort.abort();
    expect(called).toHaveLength(50);
  });

  test("forgets who has stopped listening, and lets go of the signal after the last", () => {
    const abort = new AbortController();
    const called: string[] = [];
    const listen = (name: string) => onAbort(abort.signal, () => called.push(name));
    const [stopFirst, stopSecond] = [listen("first"), listen("second")];
    stopFirst();
    stopFirst();
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(1);
    stopSecond();
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
    listen("third");
    abort.abort();
    expect(called).toEqual(["third"]);
  });

  test("is never called for a signal that has aborted already", () => {
    let called = false;
    onAbort(AbortSignal.abort(), () => {
      called = true;
    })();
    expect(called).toBe(false);
  });
});

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
