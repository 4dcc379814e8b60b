import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AnswerTimes } from "../../../src/serial/answer-times.ts";
import { LineLosses } from "../../../src/serial/firmware/line-losses.ts";
import { Repetition, type TryFailure } from "../../../src/serial/repetition.ts";
import type { SmpRequest } from "../../../src/serial/smp-client.ts";

const read: SmpRequest = { operation: "read", group: 0, command: 0 };
const write: SmpRequest = { operation: "write", group: 0, command: 0 };

/** How long is waited each time while nobody answers. */
function waits(repetition: Repetition): number[] {
  const all = [repetition.waitMs];
  while (repetition.goesOn("silent")) all.push(repetition.waitMs);
  return all;
}

describe("a request that nobody answers", () => {
  test("is said five times, a second each, where nothing is known of the line", () => {
    expect(waits(new Repetition(read))).toEqual([1_000, 1_000, 1_000, 1_000, 1_000]);
    expect(waits(new Repetition({ ...write, repeatable: true, timeoutMs: 300, tries: 2 }))).toEqual([300, 300]);
  });

  test("is said sooner and more often where answers come soon, for as long in all", () => {
    expect(waits(new Repetition(read, 250))).toEqual([250, 250, 500, 1_000, 1_000, 1_000, 1_000]);
    expect(waits(new Repetition(read, 3_000))).toEqual([1_000, 1_000, 1_000, 1_000, 1_000]);
  });

  test("has the time that it asks for", () => {
    expect(waits(new Repetition({ ...read, timeoutMs: 30_000, tries: 2 }, 250))).toEqual([30_000, 30_000]);
  });

  test("is said once when it may not be repeated, or is to be said once", () => {
    expect(waits(new Repetition(write, 250))).toEqual([1_000]);
    expect(waits(new Repetition({ ...read, tries: 1 }, 250))).toEqual([1_000]);
    expect(new Repetition(write).goesOn("damaged")).toBe(false);
    expect(new Repetition({ ...read, tries: 1 }).goesOn("damaged")).toBe(false);
  });
});

test("a request that may be repeated is said again whenever the port came back, and no other is", () => {
  expect(new Repetition({ ...read, tries: 1 }).goesOn("unplugged")).toBe(true);
  expect(new Repetition(write).goesOn("unplugged")).toBe(false);
});

test("no request is waited for longer than its tries take, or said endlessly", () => {
  const failures = fc.infiniteStream(fc.constantFrom<TryFailure>("silent", "damaged"));
  const timeoutMs = fc.option(fc.integer({ min: 1, max: 60_000 }), { nil: undefined });
  const lateAfterMs = fc.option(fc.double({ min: 1, max: 10_000, noNaN: true }), { nil: undefined });
  fc.assert(
    fc.property(timeoutMs, fc.integer({ min: 1, max: 40 }), lateAfterMs, failures, (timeout, tries, late, stream) => {
      const request = { ...read, tries, ...(timeout === undefined ? {} : { timeoutMs: timeout }) };
      const repetition = new Repetition(request, late);
      const mostMs = tries * (timeout ?? 1_000);
      let [waitedMs, said] = [0, 0];
      for (const failure of stream) {
        said += 1;
        expect(repetition.waitMs).toBeGreaterThan(0);
        if (failure === "silent") waitedMs += repetition.waitMs;
        if (!repetition.goesOn(failure)) break;
      }
      expect(waitedMs).toBeLessThanOrEqual(mostMs * 1.000001);
      expect(said).toBeLessThanOrEqual(9 * tries + 20);
    }),
  );
});

describe("the time that answers take", () => {
  test("is not known before one came", () => {
    expect(new AnswerTimes().lateAfterMs(100, 10)).toBeUndefined();
  });

  test("grows with what is said, and leaves a margin", () => {
    const times = new AnswerTimes();
    for (let time = 0; time < 100; time++) times.learn(50, 500);
    expect(times.lateAfterMs(500, 10)).toBeCloseTo(60, 1);
    expect(times.lateAfterMs(1_000, 10)).toBeCloseTo(110, 1);
  });

  test("leaves a wider margin where it varies, and follows a line that becomes slower", () => {
    const times = new AnswerTimes();
    for (let time = 0; time < 100; time++) times.learn(time % 2 === 0 ? 20 : 80, 500);
    expect(times.lateAfterMs(500, 10)).toBeGreaterThan(100);
    for (let time = 0; time < 100; time++) times.learn(200, 500);
    expect(times.lateAfterMs(500, 10)).toBeCloseTo(210, 0);
  });
});

describe("the share of bytes that a line spoils", () => {
  test.each([0, 0.0003, 0.001, 0.003])("is found out: %d", (share) => {
    const losses = new LineLosses();
    // So many of a hundred exchanges fail, evenly spread.
    const failed = 100 * (1 - (1 - share) ** 300);
    const seen: number[] = [];
    for (let exchange = 0; exchange < 2_000; exchange++) {
      const isLost = Math.floor(((exchange + 1) * failed) / 100) > Math.floor((exchange * failed) / 100);
      if (isLost) losses.failed(300);
      else losses.passed(300);
      if (exchange > 1_000) seen.push(losses.share);
    }
    const mean = seen.reduce((sum, each) => sum + each, 0) / seen.length;
    expect(mean).toBeGreaterThanOrEqual(share * 0.9);
    expect(mean).toBeLessThanOrEqual(share * 1.1);
  });

  test("is not thought to be large for a loss or two at the beginning", () => {
    const losses = new LineLosses();
    losses.failed(500);
    expect(losses.share).toBeLessThan(0.0003);
  });
});
