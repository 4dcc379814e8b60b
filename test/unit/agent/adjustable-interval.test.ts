import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { AdjustableInterval } from "../../../src/agent/adjustable-interval.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { watch } from "../../support/agent-record.ts";

const { signal: never } = new AbortController();

test("a change counts from its own moment, as often as there is one", async () => {
  const clock = new FakeClock();
  const interval = new AdjustableInterval(10_000);
  const passed = watch(interval.pass(clock, { signal: never }));
  await clock.advance(9000);
  interval.set(5000);
  await clock.advance(4999);
  interval.set(2000);
  await clock.advance(1999);
  expect(passed.outcome).toBe("pending");
  await clock.advance(1);
  expect(passed.outcome).toBe("done");
  interval.set();
  expect(interval.ms).toBe(10_000);
});

test("a change while nobody waits counts for the next wait", async () => {
  const clock = new FakeClock();
  const interval = new AdjustableInterval(10_000);
  interval.set(1000);
  const passed = watch(interval.pass(clock, { signal: never }));
  await clock.advance(1000);
  expect(passed.outcome).toBe("done");
});

test("an interval of 0 never passes, but can be changed and aborted", async () => {
  const clock = new FakeClock();
  const interval = new AdjustableInterval(0);
  const ending = new AbortController();
  const passed = watch(interval.pass(clock, { signal: ending.signal }));
  await clock.advance(1e12);
  expect(passed.outcome).toBe("pending");
  interval.set(1);
  await clock.advance(1);
  expect(passed.outcome).toBe("done");

  interval.set(0);
  const aborted = watch(interval.pass(clock, { signal: ending.signal }));
  const reason = new Error("enough");
  ending.abort(reason);
  await clock.advance(0);
  expect(aborted.outcome).toBe(reason);
  await expect(interval.pass(clock, { signal: ending.signal })).rejects.toBe(reason);
  expect(clock.pending).toEqual([]);
});

test("thousands of waits leave nothing at the signal that outlives them", async () => {
  const clock = new FakeClock();
  const interval = new AdjustableInterval(1);
  const ending = new AbortController();
  for (let wait = 0; wait < 100; wait++) {
    const passed = interval.pass(clock, { signal: ending.signal });
    await clock.advance(1);
    await passed;
  }
  expect(getEventListeners(ending.signal, "abort")).toEqual([]);
});

test("a clock that fails is no change of the interval", async () => {
  const failure = new Error("no time");
  const clock = { now: () => 0, elapsed: () => 0, sleep: () => Promise.reject(failure) };
  await expect(new AdjustableInterval(1).pass(clock, { signal: never })).rejects.toBe(failure);
});
