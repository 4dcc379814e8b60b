import { describe, expect, test } from "vitest";
import { followSettings } from "../../../../src/agent/mcu/follow-settings.ts";
import { LandfallError } from "../../../../src/errors.ts";
import type { DesiredChange } from "../../../../src/hub/desired-document.ts";
import type { JsonObject } from "../../../../src/json.ts";
import { Sightings } from "../../../../src/testing/sightings.ts";
import { McuScene } from "./mcu-scene.ts";

const change = (version: number, patch: JsonObject): DesiredChange => ({ version, patch, desired: patch });

/** A twin whose changes are given in advance. */
function twin(changes: readonly DesiredChange[], last?: Error) {
  const reports = new Sightings<JsonObject>();
  return {
    reports,
    async *desiredChanges() {
      yield* changes;
      if (last) throw last;
    },
    report: async (patch: JsonObject): Promise<number> => {
      reports.add(patch);
      return 1;
    },
  };
}

const setting = (value: number) => ({ mcu: { sampling: { period_ms: value } } });
const reported = (value: number, version: number) => ({
  mcu: { __t: "c", sampling: { period_ms: { value, ac: 200, ad: "applied", av: version } } },
});

describe("desired properties of the MCU", () => {
  test("are applied in their order, each change reported; what is not the MCU's is passed over", async () => {
    await using scene = await McuScene.create();
    scene.mcu.on("3/0", () => ({})).on("3/2", () => ({}));
    const agent = twin([change(1, setting(5)), change(2, { other: 1 }), change(3, setting(6))]);
    await followSettings(agent, { ...scene.duty, random: () => 0.5 });
    expect(agent.reports.all).toEqual([reported(5, 1), reported(6, 3)]);
  });

  test("wait for an MCU that is silent or away", async () => {
    await using scene = await McuScene.create();
    scene.mcu.on("3/0", () => undefined);
    const agent = twin([change(1, setting(5))]);
    const done = followSettings(agent, { ...scene.duty, random: () => 0.5 });
    await scene.clock.advance(30_000);
    scene.mcu.port.unplug();
    await scene.clock.advance(30_000);
    expect(agent.reports.all).toEqual([]);
    scene.mcu.on("3/0", () => ({})).on("3/2", () => ({}));
    scene.mcu.port.plug();
    await scene.clock.advance(120_000);
    await done;
    expect(agent.reports.all).toEqual([reported(5, 1)]);
  });

  test("end with the agent, and with the signal", async () => {
    await using scene = await McuScene.create();
    await followSettings(twin([], new LandfallError("hub.closed", "closed")), { ...scene.duty, random: () => 0 });
    scene.mcu.on("3/0", () => undefined);
    const done = followSettings(twin([change(1, setting(5))]), { ...scene.duty, random: () => 0 });
    await scene.mcu.seen.nth(1);
    scene.ending.abort(new Error("enough"));
    await done;
  });
});
