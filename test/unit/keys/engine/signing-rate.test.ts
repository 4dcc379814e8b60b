import { expect, test } from "vitest";
import { SigningAllowance } from "../../../../src/keys/engine/signing-rate.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";

test("signatures come in a burst, then as fast as the rate has it, and are saved up to a burst again", async () => {
  const clock = new FakeClock(0);
  const allowance = new SigningAllowance(clock, { burst: 3, perSecond: 2 });
  const taken = (): number => {
    let count = 0;
    while (allowance.take()) count += 1;
    return count;
  };
  expect(taken()).toBe(3);
  await clock.advance(499);
  expect(taken()).toBe(0);
  await clock.advance(1);
  expect(taken()).toBe(1);
  await clock.advance(3_600_000);
  expect(taken()).toBe(3);
});
