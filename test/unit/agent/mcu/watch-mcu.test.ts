import { describe, expect, test } from "vitest";
import type { McuEvent } from "../../../../src/agent/mcu/mcu-duty.ts";
import { watchMcu } from "../../../../src/agent/mcu/watch-mcu.ts";
import { LandfallError } from "../../../../src/errors.ts";
import type { JsonObject } from "../../../../src/json.ts";
import { Sightings } from "../../../../src/testing/sightings.ts";
import { McuScene } from "./mcu-scene.ts";

async function watched(boot: () => number) {
  const scene = await McuScene.create();
  scene.mcu
    .on("70/0", () => ({ rid: "press-7", kinds: ["sas"], life: 3600, boot: boot() }))
    .on("0/7", ({ body }) => ({ output: body.format === "i" ? "press-board" : "RTOS" }));
  const reports = new Sightings<JsonObject>();
  const events: McuEvent[] = [];
  const agent = {
    report: async (patch: JsonObject) => {
      reports.add(patch);
      return 1;
    },
  };
  const done = watchMcu(agent, { ...scene.duty, tell: (event) => events.push(event) });
  return { scene, reports, events, done, agent };
}

const facts = (boot: number) => ({
  mcu: {
    __t: "c",
    connected: true,
    registrationId: "press-7",
    board: "press-board",
    system: "RTOS",
    firmware: null,
    boot: String(boot),
  },
});

describe("the MCU in the twin", () => {
  test("is what it says of itself, told again only when that changes", async () => {
    let boot = 1;
    const { scene, reports, events } = await watched(() => boot);
    await using _ = scene;
    expect(await reports.nth(1)).toEqual(facts(1));
    await scene.clock.advance(40_000);
    expect(reports.all).toHaveLength(1);
    boot = 2;
    await scene.clock.advance(16_000);
    expect(await reports.nth(2)).toEqual(facts(2));
    const started = { event: "mcu-started", registrationId: "press-7" };
    expect(events).toEqual([{ event: "mcu-connected", port: scene.link.portName }, started, started]);
  });

  test("is absent while its port is away", async () => {
    const { scene, reports, events } = await watched(() => 1);
    await using _ = scene;
    await reports.nth(1);
    scene.mcu.port.unplug();
    expect(await reports.nth(2)).toEqual({ mcu: { __t: "c", connected: false } });
    expect(events.at(-1)).toMatchObject({ event: "mcu-disconnected", error: { code: "serial.unplugged" } });
    scene.mcu.port.plug();
    await scene.clock.advance(10_000);
    expect(await reports.nth(3)).toEqual(facts(1));
  });

  test("is said again later when the hub did not take it", async () => {
    const { scene, reports, agent } = await watched(() => 1);
    await using _ = scene;
    const { report } = agent;
    agent.report = async () => {
      agent.report = report;
      throw new LandfallError("transport.timeout", "no answer");
    };
    await scene.clock.advance(20_000);
    expect(await reports.nth(1)).toEqual(facts(1));
    expect(agent.report).toBe(report);
  });

  test("ends with the signal", async () => {
    const { scene, reports, done } = await watched(() => 1);
    await using _ = scene;
    await reports.nth(1);
    scene.ending.abort(new Error("enough"));
    await done;
  });
});
