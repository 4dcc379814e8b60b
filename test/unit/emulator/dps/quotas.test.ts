import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SlidingWindow } from "../../../../src/emulator/dps/sliding-window.ts";
import { EmulatedDps, poll, register } from "../../../support/emulated-dps.ts";

const attestation = { method: "symmetric_key" } as const;

/** An emulated DPS under quotas, with a way to connect as a member of its group. */
function throttled(options: ConstructorParameters<typeof EmulatedDps>[0] = { quotas: {} }) {
  const emulated = new EmulatedDps({ assigningPolls: 100, ...options });
  const group = emulated.dps.enroll({ group: "line", attestation });
  return { emulated, connect: (id: string) => emulated.connect(id, { key: group.deviceKey(id) }) };
}

describe("a quota of DPS", () => {
  test("allows five polls of one device in ten seconds, and tells the sixth when there is room", async () => {
    const { emulated, connect } = throttled();
    await using device = await connect("dev");
    await using other = await connect("other");
    const id = String((await register(device)).body.operationId);
    const statuses: number[] = [];
    for (let count = 0; count < 5; count++) {
      statuses.push((await poll(device, id)).status);
      await emulated.clock.advance(1000);
    }
    expect(statuses).toEqual([202, 202, 202, 202, 202]);
    expect(await poll(device, id)).toMatchObject({ status: 429, retryAfter: "5", body: { errorCode: 429001 } });
    expect((await poll(other, String((await register(other)).body.operationId))).status).toBe(202);
    await emulated.clock.advance(4999);
    expect(await poll(device, id)).toMatchObject({ status: 429, retryAfter: "1" });
    await emulated.clock.advance(1);
    expect((await poll(device, id)).status).toBe(202);
    expect(await poll(device, id)).toMatchObject({ status: 429, retryAfter: "1" });
  });

  test("allows so many registrations in a minute, of all devices together", async () => {
    const { emulated, connect } = throttled({ quotas: { registrationsPerMinute: 2 } });
    await using one = await connect("one");
    await using two = await connect("two");
    await register(one);
    await emulated.clock.advance(20_000);
    await register(two);
    expect(await register(two)).toMatchObject({ status: 429, retryAfter: "40" });
    await emulated.clock.advance(40_000);
    expect((await register(two)).status).toBe(202);
  });

  test("is 1000 registrations a minute unless told otherwise", async () => {
    const { connect } = throttled();
    await using device = await connect("dev");
    for (let count = 0; count < 1000; count++) expect((await register(device)).status).toBe(202);
    expect((await register(device)).status).toBe(429);
  });

  test("is off by default, and can be switched on and off", async () => {
    const { emulated, connect } = throttled({});
    await using device = await connect("dev");
    const id = String((await register(device)).body.operationId);
    const polls = async (): Promise<number[]> => {
      const statuses: number[] = [];
      for (let count = 0; count < 6; count++) statuses.push((await poll(device, id)).status);
      return statuses;
    };
    expect(await polls()).not.toContain(429);
    emulated.dps.limit({});
    expect((await polls()).filter((status) => status === 429)).toHaveLength(1);
    emulated.dps.limit(undefined);
    expect(await polls()).not.toContain(429);
  });

  test.each([0, -1, 1.5, Number.NaN])("is a whole number, not %d", (pollsPerTenSeconds) => {
    const { dps } = new EmulatedDps();
    expect(() => dps.limit({ pollsPerTenSeconds })).toThrow(expect.objectContaining({ code: "emulator.rejected" }));
  });
});

test("a sliding window never takes more than its limit in any span, and is right about when there is room", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), gaps, (limit, between) => {
      const window = new SlidingWindow(limit, 100);
      const taken: number[] = [];
      let nowMs = 0;
      for (const gap of between) {
        nowMs += gap;
        const waitMs = window.take(nowMs);
        const inSpan = taken.filter((at) => at > nowMs - 100).length;
        if (waitMs === 0) {
          expect(inSpan).toBeLessThan(limit);
          taken.push(nowMs);
        } else {
          expect(inSpan).toBe(limit);
          expect(taken.filter((at) => at > nowMs + waitMs - 100).length).toBeLessThan(limit);
          expect(taken.filter((at) => at > nowMs + waitMs - 101).length).toBe(limit);
        }
      }
    }),
  );
});
