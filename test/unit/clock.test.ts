import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";

describe.each([
  ["systemClock", () => systemClock],
  ["FakeClock", () => new FakeClock()],
])("%s", (_, make) => {
  test("a sleep rejects with the signal's own reason", async () => {
    const reason = new Error("enough");
    const abort = new AbortController();
    const sleep = make().sleep(3_600_000, { signal: abort.signal });
    abort.abort(reason);
    await expect(sleep).rejects.toBe(reason);
  });

  test("a sleep with an aborted signal does not begin", async () => {
    const reason = new Error("before");
    await expect(make().sleep(3_600_000, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test("a sleep longer than the platform's longest timer does not end at once", async () => {
    const abort = new AbortController();
    let ended = false;
    const sleep = make()
      .sleep(2 ** 40, { signal: abort.signal })
      .then(
        () => {
          ended = true;
        },
        () => {},
      );
    for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
    expect(ended).toBe(false);
    abort.abort();
    await sleep;
  });
});

describe("FakeClock", () => {
  test("wakes sleepers in order of time and lets each one run before the next", async () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    const first = clock.sleep(10).then(async () => {
      seen.push(`first at ${clock.elapsed()}`);
      await clock.sleep(5);
      seen.push(`again at ${clock.elapsed()}`);
    });
    const second = clock.sleep(20).then(() => seen.push(`second at ${clock.elapsed()}`));
    await clock.advance(20);
    await Promise.all([first, second]);
    expect(seen).toEqual(["first at 10", "again at 15", "second at 20"]);
  });

  test("a step moves the wall clock and nothing else", () => {
    const clock = new FakeClock(1000);
    clock.step(600_000);
    expect(clock.now()).toBe(601_000);
    expect(clock.elapsed()).toBe(0);
  });
});
