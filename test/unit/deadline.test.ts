import { describe, expect, test } from "vitest";
import { withDeadline } from "../../src/deadline.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";

const expired = (): Error => new Error("too late");

describe("withDeadline", () => {
  test("hands on what the work brings, and leaves no timer", async () => {
    const clock = new FakeClock();
    await expect(withDeadline(async () => 5, { clock, ms: 10, expired })).resolves.toBe(5);
    expect(clock.pending).toEqual([]);
  });

  test("rejects with the given error and aborts the work when the time is up", async () => {
    const clock = new FakeClock();
    let inner: AbortSignal | undefined;
    const limited = withDeadline(
      (signal) => {
        inner = signal;
        return new Promise(() => {});
      },
      { clock, ms: 10, expired },
    );
    limited.catch(() => {});
    await clock.advance(9);
    expect(inner?.aborted).toBe(false);
    await clock.advance(1);
    await expect(limited).rejects.toThrowError("too late");
    expect(inner?.reason).toEqual(expired());
  });

  test("hands an abort on to the work, with its reason, and leaves no timer", async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    let inner: AbortSignal | undefined;
    const limited = withDeadline(
      (signal) => {
        inner = signal;
        return new Promise(() => {});
      },
      { clock, ms: 10, expired, signal: abort.signal },
    );
    const reason = new Error("enough");
    abort.abort(reason);
    await expect(limited).rejects.toBe(reason);
    expect(inner?.reason).toBe(reason);
    expect(clock.pending).toEqual([]);
  });

  test("does not start work for a caller who has aborted already", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    let started = false;
    const work = async (): Promise<void> => {
      started = true;
    };
    await expect(withDeadline(work, { clock: new FakeClock(), ms: 10, expired, signal })).rejects.toBe(signal.reason);
    expect(started).toBe(false);
  });
});
