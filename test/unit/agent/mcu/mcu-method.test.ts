import { describe, expect, test } from "vitest";
import { callMcu } from "../../../../src/agent/mcu/mcu-method.ts";
import { McuScene } from "./mcu-scene.ts";

async function methodScene() {
  const scene = await McuScene.create();
  scene.mcu.on("70/0", () => ({ rid: "press-7", kinds: [], life: 0, boot: 7 }));
  const call = (name = "blink", payload: null | object = { times: 3 }) =>
    callMcu(scene.link, { name, payload: payload as never }, { ...scene.duty, newId: () => "id-1" });
  return { scene, call };
}

describe("a direct method for the MCU", () => {
  test("is a command with an id, for the firmware's present life", async () => {
    const { scene, call } = await methodScene();
    await using _ = scene;
    scene.mcu.on("72/0", () => ({ id: "id-1", status: 200, result: { done: 3, raw: Uint8Array.of(1) } }));
    expect(await call()).toEqual({ status: 200, payload: { done: 3, raw: "AQ==" } });
    expect(scene.mcu.bodies("72/0")).toEqual([{ id: "id-1", boot: 7, name: "blink", args: { times: 3 } }]);
  });

  test("may have neither arguments nor a result", async () => {
    const { scene, call } = await methodScene();
    await using _ = scene;
    scene.mcu.on("72/0", () => ({ id: "id-1", status: 204 }));
    expect(await call("reboot", null)).toEqual({ status: 204 });
    expect(scene.mcu.bodies("72/0")).toEqual([{ id: "id-1", boot: 7, name: "reboot" }]);
  });

  test("has an id of its own each time", async () => {
    const { scene } = await methodScene();
    await using _ = scene;
    scene.mcu.on("72/0", ({ body }) => ({ id: body.id ?? "", status: 200 }));
    for (let time = 0; time < 2; time++) await callMcu(scene.link, { name: "a", payload: null }, scene.duty);
    const ids = scene.mcu.bodies("72/0").map(({ id }) => id as string);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id.length).toBeLessThanOrEqual(36);
  });

  test("is said again under its id when the answer is lost", async () => {
    const { scene, call } = await methodScene();
    await using _ = scene;
    let said = 0;
    scene.mcu.on("72/0", () => {
      said += 1;
      return said < 3 ? undefined : { id: "id-1", status: 200 };
    });
    const answer = call();
    await scene.mcu.seen.nth(2);
    await scene.clock.advance(10_000);
    expect(await answer).toEqual({ status: 200 });
    expect(new Set(scene.mcu.bodies("72/0").map(({ id }) => id))).toEqual(new Set(["id-1"]));
  });

  test.each([
    [{ err: { group: 72, rc: 5 } }, 404, "the MCU knows no such command"],
    [{ err: { group: 72, rc: 6 } }, 500, /restarted meanwhile/],
    [{ err: { group: 72, rc: 10 } }, 503, /busy/],
    [{ err: { group: 72, rc: 3 } }, 502, /invalid value/],
    [{ status: 1000 }, 502, /expected 0 to 999/],
  ] as const)("that comes to %j is answered with %i", async (answer, status, error) => {
    const { scene, call } = await methodScene();
    await using _ = scene;
    scene.mcu.on("72/0", () => answer);
    expect(await call()).toEqual({ status, payload: { error: expect.stringMatching(error) } });
  });

  test("is answered with 504 when the MCU is silent", async () => {
    const { scene, call } = await methodScene();
    await using _ = scene;
    scene.mcu.on("72/0", () => undefined);
    const answer = call();
    await scene.mcu.seen.nth(2);
    await scene.clock.advance(60_000);
    expect(await answer).toMatchObject({
      status: 504,
      payload: { error: expect.stringMatching(/no answer .*; whether it executed the command is not known$/) },
    });
  });

  test("is answered with 503 while the port is away, and not executed when the port is back", async () => {
    const { scene, call } = await methodScene();
    await using _ = scene;
    scene.mcu.on("72/0", () => ({ id: "id-1", status: 200 }));
    await scene.link.connected();
    scene.mcu.port.unplug();
    await scene.clock.advance(1_000);
    expect(await call()).toEqual({ status: 503, payload: { error: expect.stringMatching(/went away/) } });
    scene.mcu.port.plug();
    await scene.clock.advance(60_000);
    expect(scene.mcu.bodies("72/0")).toEqual([]);
    expect(await call()).toEqual({ status: 200 });
  });

  test("is answered with 503 when the port goes away under it, and not said again when the port is back", async () => {
    const { scene, call } = await methodScene();
    await using _ = scene;
    scene.mcu.on("72/0", () => {
      scene.mcu.port.unplug();
      return undefined;
    });
    expect(await call()).toEqual({
      status: 503,
      payload: { error: expect.stringMatching(/went away.*; whether it executed the command is not known$/) },
    });
    scene.mcu.port.plug();
    await scene.clock.advance(60_000);
    expect(scene.mcu.bodies("72/0")).toHaveLength(1);
  });

  test("ends with its signal", async () => {
    const { scene, call } = await methodScene();
    await using _ = scene;
    scene.mcu.on("72/0", () => ({ id: "id-1" }));
    const answer = expect(call()).rejects.toThrow("too late");
    await scene.mcu.seen.nth(2);
    scene.ending.abort(new Error("too late"));
    await answer;
  });
});
