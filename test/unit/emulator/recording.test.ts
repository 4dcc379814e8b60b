import { describe, expect, test } from "vitest";
import { EventLog } from "../../../src/emulator/event-log.ts";
import { Recording } from "../../../src/emulator/recording.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";

function recordingOf(...items: number[]): Recording<number> {
  const recording = new Recording<number>(3);
  for (const item of items) recording.add(item);
  return recording;
}

describe("a recording", () => {
  test("keeps the last items only, and gives a copy of them", () => {
    const recording = recordingOf(1, 2, 3, 4);
    expect(recording.all).toEqual([2, 3, 4]);
    (recording.all as number[]).pop();
    expect(recording.all).toEqual([2, 3, 4]);
  });

  test("can be followed from its start, and from now", async () => {
    const recording = recordingOf(1, 2);
    const [fromStart, fromNow] = [recording.watch(), recording.watch({ from: "now" })];
    recording.add(3);
    expect([(await fromStart.next()).value, (await fromStart.next()).value]).toEqual([1, 2]);
    expect((await fromNow.next()).value).toBe(3);
    const waiting = fromNow.next();
    recording.add(4);
    expect((await waiting).value).toBe(4);
  });

  test("lets a slow reader skip what is no longer kept", async () => {
    const recording = recordingOf(1);
    const reader = recording.watch();
    await reader.next();
    for (const item of [2, 3, 4, 5, 6]) recording.add(item);
    expect((await reader.next()).value).toBe(4);
  });

  test("ends every reader when it is closed, after what is left to read", async () => {
    const recording = recordingOf(1, 2);
    const reader = recording.watch({ where: (item) => item > 1 });
    recording.close();
    recording.close();
    expect([await reader.next(), await reader.next()]).toEqual([
      { value: 2, done: false },
      { value: undefined, done: true },
    ]);
    await expect(recording.next({ from: "now" })).rejects.toMatchObject({ code: "emulator.closed" });
  });

  test("lets go of a reader who aborts", async () => {
    const controller = new AbortController();
    const next = recordingOf().next({ signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(next).rejects.toThrow("enough");
  });
});

describe("the event log", () => {
  test("stamps events with both times of the clock, and finds them by kind", async () => {
    const clock = new FakeClock();
    const events = new EventLog(clock, 10);
    events.add("hub.twin-read", { hub: "a", deviceId: "one" });
    await clock.advance(5);
    clock.step(1000);
    events.add("hub.twin-read", { hub: "a", deviceId: "two" });
    events.add("rule.broken", { service: "a", clientId: "two", rule: "qos-2" });
    const [one, two] = events.of("hub.twin-read");
    expect(one).toEqual({ kind: "hub.twin-read", hub: "a", deviceId: "one", atMs: Date.UTC(2026, 0, 1), elapsedMs: 0 });
    expect(two).toMatchObject({ deviceId: "two", atMs: Date.UTC(2026, 0, 1) + 1005, elapsedMs: 5 });
    expect(events.of("hub.twin-read", ({ deviceId }) => deviceId === "one")).toHaveLength(1);
    expect(events.all).toHaveLength(3);
    expect(await events.next("rule.broken")).toMatchObject({ rule: "qos-2" });
    const later = events.next("hub.twin-read", { from: "now", where: ({ deviceId }) => deviceId === "three" });
    events.add("hub.twin-read", { hub: "a", deviceId: "two" });
    events.add("hub.twin-read", { hub: "a", deviceId: "three" });
    expect(await later).toMatchObject({ deviceId: "three" });
    events.close();
    const kinds: string[] = [];
    for await (const { kind } of events.watch()) kinds.push(kind);
    expect(kinds).toHaveLength(5);
  });
});
