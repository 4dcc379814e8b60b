import { encode } from "cborg";
import { describe, expect, test } from "vitest";
import { applySettings, settingsReport, wantedSettings } from "../../../../src/agent/mcu/mcu-settings.ts";
import type { JsonValue } from "../../../../src/json.ts";
import { McuScene } from "./mcu-scene.ts";

describe("the settings in a change of desired properties", () => {
  test("are the leaves of the component mcu", () => {
    const patch = {
      other: { a: 1 },
      mcu: { __t: "c", sampling: { period_ms: 5000, on: false }, name: "press", list: [1, { a: 2 }], gone: null },
    };
    expect(wantedSettings(patch)).toEqual([
      { path: ["sampling", "period_ms"], value: 5000 },
      { path: ["sampling", "on"], value: false },
      { path: ["name"], value: "press" },
      { path: ["list"], value: [1, { a: 2 }] },
      { path: ["gone"], value: null },
    ]);
  });

  test.each([{}, { mcu: null }, { mcu: 1 }, { mcu: {} }, { mcu: { a: {} } }])("are none in %j", (patch) => {
    expect(wantedSettings(patch)).toEqual([]);
  });

  test("do not reach behind the report", () => {
    expect(wantedSettings(JSON.parse('{"mcu":{"a":{"__proto__":{"b":1}}}}'))).toEqual([]);
  });
});

async function apply(scene: McuScene, settings: Readonly<Record<string, JsonValue>>) {
  const wanted = Object.entries(settings).map(([name, value]) => ({ path: name.split("/"), value }));
  return applySettings(scene.link, wanted);
}

describe("settings", () => {
  test("are written as CBOR, taken away, and committed together", async () => {
    await using scene = await McuScene.create();
    scene.mcu
      .on("3/0", () => ({}))
      .on("3/1", () => ({}))
      .on("3/2", () => ({}));
    const outcomes = await apply(scene, { "sampling/period_ms": 5000, "motor/limits": [1.5, null], old: null });
    expect(scene.mcu.asked).toEqual(["70/0", "3/0", "3/0", "3/1", "3/2"]);
    expect(scene.mcu.bodies("3/0")).toEqual([
      { name: "sampling/period_ms", val: Uint8Array.from(encode(5000)) },
      { name: "motor/limits", val: Uint8Array.from(encode([1.5, null], { float64: true })) },
    ]);
    expect(settingsReport(outcomes, 4)).toEqual({
      mcu: {
        __t: "c",
        sampling: { period_ms: { value: 5000, ac: 200, ad: "applied", av: 4 } },
        motor: { limits: { value: [1.5, null], ac: 200, ad: "applied", av: 4 } },
        old: null,
      },
    });
  });

  test("that are refused say why, while the others take effect", async () => {
    await using scene = await McuScene.create();
    const codes: Record<string, number> = { unknown: 5, wrong: 3 };
    scene.mcu.on("3/0", ({ body: { name } }) => {
      const rc = codes[name as string];
      return rc === undefined ? {} : { err: { group: 3, rc } };
    });
    scene.mcu.on("3/2", () => ({}));
    const outcomes = await apply(scene, { unknown: 1, wrong: 2, right: 3 });
    expect(outcomes.map(({ code }) => code)).toEqual([404, 400, 200]);
    expect(settingsReport(outcomes, 5)).toMatchObject({
      mcu: { unknown: { ac: 404, ad: expect.stringContaining("no such setting"), av: 5 }, right: { ac: 200 } },
    });
    expect(scene.mcu.bodies("3/2")).toHaveLength(1);
  });

  test("are not committed when all were refused", async () => {
    await using scene = await McuScene.create();
    scene.mcu.on("3/0", () => ({ err: { group: 3, rc: 3 } }));
    await apply(scene, { wrong: 1 });
    expect(scene.mcu.asked).toEqual(["70/0", "3/0"]);
  });

  test("that were written and did not take effect say so", async () => {
    await using scene = await McuScene.create();
    scene.mcu.on("3/0", () => ({})).on("3/2", () => ({ rc: 10 }));
    const [outcome] = await apply(scene, { a: 1 });
    expect(outcome).toMatchObject({ code: 500, description: expect.stringContaining("did not take effect") });
  });

  test.each([
    [1, 200, "applied"],
    [3, 200, "applied"],
    [4, 500, "written, and did not take effect: the firmware restarts again and again"],
  ])(
    "are written again when the firmware forgot them in a restart before the commit: %i times",
    async (restarts, code, description) => {
      await using scene = await McuScene.create();
      let boot = 1;
      scene.mcu
        .on("70/0", () => ({ rid: "press-7", kinds: [], life: 0, boot }))
        .on("3/0", () => ({}))
        .on("3/2", () => {
          if (boot <= restarts) boot += 1;
          return {};
        });
      expect(await apply(scene, { a: 1 })).toMatchObject([{ code, description }]);
      expect(scene.mcu.bodies("3/0")).toHaveLength(Math.min(restarts + 1, 4));
    },
  );

  test("that do not fit the MCU's buffer are refused here", async () => {
    await using scene = await McuScene.create();
    const [outcome] = await apply(scene, { long: "x".repeat(1000) });
    expect(outcome).toMatchObject({ code: 400, description: expect.stringContaining("the MCU takes 380") });
  });

  test("taking away one that there is not is as good as done", async () => {
    await using scene = await McuScene.create();
    scene.mcu.on("3/1", () => ({ err: { group: 3, rc: 5 } }));
    expect(settingsReport(await apply(scene, { old: null }), 1)).toEqual({ mcu: { __t: "c", old: null } });
  });

  test("are tried again by whoever asked when the MCU is silent", async () => {
    await using scene = await McuScene.create();
    scene.mcu.on("3/0", () => undefined);
    const failed = expect(apply(scene, { a: 1 })).rejects.toMatchObject({ code: "smp.timeout" });
    await scene.mcu.seen.nth(1);
    await scene.clock.advance(60_000);
    await failed;
  });
});
