import { describe, expect, test } from "vitest";
import { type OpeningDelayed, openPatiently } from "../../../src/agent/patient-opening.ts";
import { type ErrorCode, errorTable, LandfallError } from "../../../src/errors.ts";
import { createLogger, type LogRecord } from "../../../src/log.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";

/** Hardware that fails with these errors, one after the other, before it is there. */
function scene(...failures: readonly unknown[]) {
  const clock = new FakeClock();
  const waits: OpeningDelayed[] = [];
  const records: LogRecord[] = [];
  const left = [...failures];
  const seen = { attempts: 0 };
  const open = async (): Promise<string> => {
    seen.attempts += 1;
    if (left.length > 0) throw left.shift();
    return "opened";
  };
  const log = createLogger("info", (record) => records.push(record));
  const start = (options?: { readonly signal: AbortSignal }) =>
    openPatiently({ open, onWaiting: (about) => waits.push(about), clock, random: () => 0.5, log }, options);
  return { clock, waits, records, seen, start };
}

const away = (): LandfallError => new LandfallError("tpm.unavailable", "The TPM is not there.");
const codes = Object.keys(errorTable) as ErrorCode[];

describe("an identity in hardware", () => {
  test("is opened at once when it is there", async () => {
    const { start, waits, records } = scene();
    expect(await start()).toBe("opened");
    expect([waits, records]).toEqual([[], []]);
  });

  test("is waited for while it is away, longer each time and for a minute at most", async () => {
    const failures = Array.from({ length: 9 }, away);
    const { start, clock, waits, records } = scene(...failures);
    const opened = start();
    for (const failure of failures) {
      await clock.advance(0);
      expect(waits.at(-1)?.error).toBe(failure);
      await clock.advance(waits.at(-1)?.delayMs ?? 0);
    }
    expect(await opened).toBe("opened");
    expect(waits.map(({ delayMs }) => delayMs)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(records).toHaveLength(9);
    expect(records[1]).toMatchObject({
      level: "warn",
      message: "the key cannot be opened, next attempt in 1.0 s: The TPM is not there.",
      fields: { code: "tpm.unavailable", remedy: errorTable["tpm.unavailable"].remedy },
    });
  });

  test.each(codes)("that fails with %s is waited for only if that may pass", async (code) => {
    const failure = new LandfallError(code, "so it is");
    const { start, clock, waits, seen } = scene(failure);
    const opened = start().catch((error: unknown) => error);
    await clock.advance(0);
    if (errorTable[code].retry === "never") {
      expect(await opened).toBe(failure);
      expect(seen.attempts).toBe(1);
    } else {
      await clock.advance(waits[0]?.delayMs ?? Number.NaN);
      expect(await opened).toBe("opened");
    }
  });

  test("is not waited for when nobody foresaw the failure", async () => {
    const fault = new TypeError("a fault of ours");
    await expect(scene(fault).start()).rejects.toBe(fault);
  });

  test("ends the wait when something is to be mended after all: a wrong PIN is tried once", async () => {
    const wrongPin = new LandfallError("key.wrong-pin", "The token does not take the PIN.");
    const { start, clock, seen } = scene(new LandfallError("key.token-missing", "It is not there."), wrongPin);
    const opened = start().catch((error: unknown) => error);
    await clock.advance(1000);
    expect(await opened).toBe(wrongPin);
    expect(seen.attempts).toBe(2);
  });

  test("is no longer waited for once that is not wanted", async () => {
    const { start, clock, seen } = scene(away(), away());
    const ending = new AbortController();
    const opened = start({ signal: ending.signal }).catch((error: unknown) => error);
    await clock.advance(0);
    const enough = new Error("enough");
    ending.abort(enough);
    expect(await opened).toBe(enough);
    await expect(start({ signal: ending.signal })).rejects.toBe(enough);
    expect(seen.attempts).toBe(1);
  });
});
