import { expect, test } from "vitest";
import { SigningAllowance } from "../../../../src/keys/engine/signing-rate.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";

/** Takes as much as is allowed now. */
function takeAll(allowance: SigningAllowance): number {
  let count = 0;
  while (allowance.take()) count += 1;
  return count;
}

test("signatures come in a burst, then as fast as the rate has it, and are saved up to a burst again", async () => {
  const clock = new FakeClock(0);
  const allowance = new SigningAllowance(clock, { burst: 3, perSecond: 2 });
  expect(takeAll(allowance)).toBe(3);
  await clock.advance(499);
  expect(takeAll(allowance)).toBe(0);
  await clock.advance(1);
  expect(takeAll(allowance)).toBe(1);
  await clock.advance(3_600_000);
  expect(takeAll(allowance)).toBe(3);
});

test("an agent may ask for 30 signatures at once, and for two a second in the long run", async () => {
  const clock = new FakeClock(0);
  const allowance = new SigningAllowance(clock);
  expect(takeAll(allowance)).toBe(30);
  await clock.advance(10_000);
  expect(takeAll(allowance)).toBe(20);
});
