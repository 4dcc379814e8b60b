import { expect, test } from "vitest";
import type { CborValue } from "../../src/serial/cbor.ts";
import type { SmpPush } from "../../src/serial/smp-client.ts";
import { Sightings } from "../../src/testing/sightings.ts";
import { describeOnBoards, refusal } from "../support/firmware-bench.ts";

describeOnBoards("settings", (start) => {
  test("take effect with commit, all at once, and last over a power cut", async () => {
    const bench = await start();
    await bench.set("sampling/period_ms", 250);
    await bench.set("label", "over the door °");
    await bench.set("sensor/offset", -300);
    await bench.set("alarm", true);
    expect(await bench.setting("sampling/period_ms")).toBe(5000);
    await bench.write(3, 2);
    await bench.set("led/brightness", 7);
    await bench.powerOff();
    await bench.powerOn();
    expect(await bench.setting("sampling/period_ms")).toBe(250);
    expect(await bench.setting("label")).toBe("over the door °");
    expect(await bench.setting("sensor/offset")).toBe(-300);
    expect(await bench.setting("alarm")).toBe(true);
    expect(await bench.setting("led/brightness")).toBe(50);
    await bench.write(3, 1, { name: "label" });
    await bench.write(3, 2);
    expect(await bench.setting("label")).toBe("");
  });

  test("names and values that are none are refused, and change nothing", async () => {
    const bench = await start();
    const fault = (rc: number) => ({ group: 3, rc });
    expect(await refusal(bench.set("led/colour", 1))).toEqual(fault(5));
    expect(await refusal(bench.set("led/brightness", 101))).toEqual(fault(3));
    expect(await refusal(bench.set("led/brightness", "bright"))).toEqual(fault(3));
    expect(await refusal(bench.set("label", "x".repeat(33)))).toEqual(fault(3));
    expect(await refusal(bench.write(3, 0, { name: "alarm", val: Uint8Array.of(0xff) }))).toEqual(fault(3));
    await bench.write(3, 2);
    expect(await bench.setting("led/brightness")).toBe(50);
  });
});

describeOnBoards("telemetry", (start) => {
  test("is off at first, said again until it is answered, and goes on then", async () => {
    const bench = await start();
    const pushed = new Sightings<SmpPush>();
    let answers = false;
    bench.link.serve(71, async (push) => {
      pushed.add(push);
      if (!answers) throw new Error("the hub is away");
      return { n: push.body.n as number };
    });
    await bench.set("sampling/period_ms", 100);
    await bench.write(3, 2);
    const boot = await bench.boot();
    expect(pushed.all).toEqual([]);
    expect(await bench.write(71, 0, { on: true })).toEqual({ boot });
    const first = await pushed.nth(1);
    expect(first.body).toMatchObject({
      boot,
      n: 0,
      data: { temperature: expect.any(Number), humidity: expect.any(Number) },
    });
    expect((await pushed.nth(2)).body).toEqual(first.body);
    answers = true;
    expect((await pushed.nth(3)).body).toEqual(first.body);
    expect((await pushed.nth(4)).body).toMatchObject({ boot, n: 1 });
    expect((await pushed.nth(5)).body).toMatchObject({ boot, n: 2 });
    await bench.reset();
    expect(await bench.boot()).not.toBe(boot);
    expect(await bench.read(2, 0, { name: "telemetry" })).toMatchObject({ fields: { sent: 0 } });
  });

  test("the noise is that of its seed", async () => {
    const bench = await start();
    const readings: CborValue[] = [];
    for (const seed of [7, 7, 8]) {
      await bench.set("sensor/seed", seed);
      await bench.write(3, 2);
      await bench.reset();
      const boot = await bench.boot();
      readings.push((await bench.write(72, 0, { id: "a", boot, name: "measure" })).result as CborValue);
    }
    expect(readings[1]).toEqual(readings[0]);
    expect(readings[2]).not.toEqual(readings[0]);
  });
});

describeOnBoards("commands", (start) => {
  test("are executed once, however often they are asked for, and not for another start", async () => {
    const bench = await start();
    expect(await bench.read(72, 1)).toEqual({ names: ["blink", "count", "measure", "calibrate"] });
    const boot = await bench.boot();
    const ask = (id: string) => bench.write(72, 0, { id, boot, name: "count" });
    expect(await ask("a")).toEqual({ id: "a", status: 200, result: { count: 1 } });
    for (let i = 0; i < 3; i++) expect(await ask("a")).toEqual({ id: "a", status: 200, result: { count: 1 } });
    expect(await ask("b")).toMatchObject({ result: { count: 2 } });
    // 32 are remembered: 30 more leave the first two in memory.
    for (let i = 0; i < 30; i++) await ask(`n${i}`);
    expect(await ask("a")).toMatchObject({ result: { count: 1 } });
    await bench.reset();
    expect(await refusal(ask("a"))).toEqual({ group: 72, rc: 6 });
  });

  test("one that takes its time is asked for again, and holds up only its like", async () => {
    const bench = await start();
    const boot = await bench.boot();
    const slow = (id: string) => bench.write(72, 0, { id, boot, name: "calibrate", args: { ms: 1_500 } });
    expect(await slow("a")).toEqual({ id: "a" });
    expect(await refusal(slow("b"))).toEqual({ group: 72, rc: 10 });
    expect(await bench.write(72, 0, { id: "c", boot, name: "blink", args: { times: 3 } })).toMatchObject({
      result: { done: 3 },
    });
    let answer = await slow("a");
    while (answer.status === undefined) answer = await slow("a");
    expect(answer).toEqual({ id: "a", status: 200, result: { ms: 1_500 } });
  });

  test("unknown names and wrong arguments have their status", async () => {
    const bench = await start();
    const boot = await bench.boot();
    expect(await bench.write(72, 0, { id: "a", boot, name: "fly" })).toEqual({ id: "a", status: 404 });
    expect(await refusal(bench.write(72, 0, { id: "", boot, name: "blink" }))).toEqual({ group: 72, rc: 3 });
    expect(await bench.write(72, 0, { id: "a", boot, name: "blink", args: { times: 0 } })).toMatchObject({
      status: 400,
    });
  });
});
