import { describe, expect, test } from "vitest";
import { renewalDelayMs, untilRenewalDue } from "../../../src/hub/credential-renewal.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";

const minute = 60_000;
const hour = 60 * minute;

/** A renewal under watch, for a token that lives `lifeMs` from now on. */
function watchRenewal(clock: FakeClock, lifeMs: number): { due: boolean } {
  const watch = { due: false };
  void untilRenewalDue(clock.now() + lifeMs, { clock }).then(() => {
    watch.due = true;
  });
  return watch;
}

describe("credential renewal", () => {
  test("is due 15 minutes before a token of one hour expires", async () => {
    const clock = new FakeClock();
    const watch = watchRenewal(clock, hour);
    await clock.advance(45 * minute - 1);
    expect(watch.due).toBe(false);
    await clock.advance(1);
    expect(watch.due).toBe(true);
  });

  test("is due at three quarters of any other life", () => {
    expect(renewalDelayMs(24 * hour)).toBe(18 * hour);
    expect(renewalDelayMs(4 * minute)).toBe(3 * minute);
  });

  test("is never due at once, so that tokens that come expired make no tight loop", () => {
    expect(renewalDelayMs(0)).toBe(10_000);
    expect(renewalDelayMs(-hour)).toBe(10_000);
  });

  test("leaves five minutes when a device clock is ten minutes behind, with tokens of one hour", async () => {
    const clock = new FakeClock();
    const skewMs = 10 * minute;
    const hubNow = (): number => clock.now() + skewMs;
    const expiresAtMs = clock.now() + hour;
    const watch = watchRenewal(clock, hour);
    await clock.advance(45 * minute);
    expect(watch.due).toBe(true);
    expect(expiresAtMs - hubNow()).toBe(5 * minute);
  });

  test("is not put off when the wall clock is set back", async () => {
    const clock = new FakeClock();
    const watch = watchRenewal(clock, hour);
    clock.step(-5 * hour);
    await clock.advance(45 * minute);
    expect(watch.due).toBe(true);
  });

  test("is brought forward within a minute when the wall clock is set ahead past it", async () => {
    const clock = new FakeClock();
    const watch = watchRenewal(clock, hour);
    await clock.advance(5 * minute);
    clock.step(50 * minute);
    await clock.advance(minute);
    expect(watch.due).toBe(true);
  });

  test("ends when its signal aborts", async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const waiting = untilRenewalDue(clock.now() + hour, { clock, signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    expect(clock.pending).toEqual([]);
  });
});
