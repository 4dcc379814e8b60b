import { describe, expect, test } from "vitest";
import { Backoff } from "../../../../src/backoff.ts";
import { LandfallError } from "../../../../src/errors.ts";
import { startAgain } from "../../../../src/keys/mcu/start-again.ts";
import { createLogger, type LogRecord } from "../../../../src/log.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";

/** Something that fails with these errors, one after the other, before it starts. */
function scene(...failures: readonly unknown[]) {
  const clock = new FakeClock();
  const startedAt: number[] = [];
  const records: LogRecord[] = [];
  const left = [...failures];
  const start = async (): Promise<void> => {
    startedAt.push(clock.elapsed());
    if (left.length > 0) throw left.shift();
  };
  const about = {
    clock,
    pace: new Backoff({ random: () => 0.5 }),
    log: createLogger("warn", (record) => records.push(record)),
  };
  const began = clock.elapsed();
  const delays = (): number[] => startedAt.map((at) => at - began);
  const ending = new AbortController();
  return { clock, records, ending, delays, again: () => startAgain(start, about, ending) };
}

const away = (): LandfallError => new LandfallError("serial.port-not-found", "there is no such port");

describe("what ended by itself", () => {
  test("starts again after growing delays, which the next end goes on with", async () => {
    const { clock, records, delays, again } = scene(away(), away());
    const started = again();
    await clock.advance(10_000);
    await started;
    expect(delays()).toEqual([500, 1500, 3500]);
    expect(records.map(({ message }) => message)).toEqual(
      Array(2).fill(expect.stringMatching(/does not start again: .*there is no such port/)),
    );
    const once = again();
    await clock.advance(4000);
    await once;
    expect(delays().at(-1)).toBe(14_000);
  });

  test.each([new LandfallError("certificate.key-mismatch", "it is another key"), new TypeError("a fault of ours")])(
    "does not start again after what does not pass: %s",
    async (failure) => {
      const { clock, records, delays, again } = scene(failure);
      const given = again();
      await clock.advance(10_000);
      await given;
      expect([delays(), records.length]).toEqual([[500], 1]);
    },
  );

  test("does not start again when it is not wanted any more", async () => {
    const { clock, records, ending, delays, again } = scene();
    const given = again();
    ending.abort();
    await given;
    await clock.advance(10_000);
    expect([delays(), records]).toEqual([[], []]);
  });
});
