import { describe, expect, test } from "vitest";
import { TransferRate } from "../../../src/cli/mcu/transfer-rate.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";

describe("the rate of a transfer", () => {
  test("is unknown until two moments lie apart", async () => {
    const clock = new FakeClock();
    const rate = new TransferRate(clock);
    expect(rate.bytesPerSecond).toBeUndefined();
    rate.reached(0);
    rate.reached(100);
    expect(rate.bytesPerSecond).toBeUndefined();
    await clock.advance(1_000);
    rate.reached(1_100);
    expect([rate.bytesPerSecond, rate.secondsFor(500)]).toEqual([1_000, 0.5]);
  });

  test("is that of the last seconds", async () => {
    const clock = new FakeClock();
    const rate = new TransferRate(clock);
    let bytes = 0;
    for (let second = 0; second < 20; second++) {
      bytes += second < 10 ? 10_000 : 100;
      rate.reached(bytes);
      await clock.advance(1_000);
    }
    rate.reached(bytes);
    expect(rate.bytesPerSecond).toBeLessThan(110);
  });

  test("does not count what the far end had already, nor the time in which it erased its flash", async () => {
    const clock = new FakeClock();
    const rate = new TransferRate(clock);
    rate.reached(0);
    await clock.advance(3_000);
    rate.reached(80_000);
    expect(rate.bytesPerSecond).toBeUndefined();
    await clock.advance(1_000);
    rate.reached(81_000);
    expect(rate.bytesPerSecond).toBe(1_000);
  });

  test("begins anew when a transfer does, and promises nothing while it stands", async () => {
    const clock = new FakeClock();
    const rate = new TransferRate(clock);
    rate.reached(5_000);
    await clock.advance(1_000);
    rate.reached(100);
    await clock.advance(1_000);
    rate.reached(100);
    expect([rate.bytesPerSecond, rate.secondsFor(10)]).toEqual([0, undefined]);
  });
});
