import { describe, expect, test } from "vitest";
import { serveMethods } from "../../../../src/agent/mcu/serve-methods.ts";
import { LandfallError } from "../../../../src/errors.ts";
import type { MethodHandler } from "../../../../src/hub/direct-methods.ts";
import { McuScene } from "./mcu-scene.ts";

/** Holds handlers as an agent does. */
class FakeMethods {
  readonly handlers = new Map<string, MethodHandler>();

  onMethod(name: string, handler: MethodHandler): Disposable {
    if (this.handlers.has(name)) throw new LandfallError("hub.method-exists", `${name} is taken`);
    this.handlers.set(name, handler);
    return { [Symbol.dispose]: () => void this.handlers.delete(name) };
  }

  get names(): string[] {
    return [...this.handlers.keys()].sort();
  }
}

const own: MethodHandler = () => ({ status: 200 });

describe("the direct methods of the MCU", () => {
  test("are its commands, but for those that have a handler; they follow its firmware", async () => {
    await using scene = await McuScene.create();
    const agent = new FakeMethods();
    agent.onMethod("reprovision", own);
    let names = ["blink", "reprovision", "reboot"];
    scene.mcu.on("72/1", () => ({ names }));
    const done = serveMethods(agent, scene.duty);
    await scene.mcu.seen.nth(1);
    await scene.clock.advance(0);
    expect(agent.names).toEqual(["blink", "reboot", "reprovision"]);
    expect(agent.handlers.get("reprovision")).toBe(own);
    names = ["blink", "measure"];
    await scene.clock.advance(61_000);
    expect(agent.names).toEqual(["blink", "measure", "reprovision"]);
    scene.ending.abort(new Error("enough"));
    await done;
    expect(agent.names).toEqual(["reprovision"]);
  });

  test("reach it", async () => {
    await using scene = await McuScene.create();
    const agent = new FakeMethods();
    scene.mcu.on("72/1", () => ({ names: ["blink"] }));
    scene.mcu.on("70/0", () => ({ rid: "a", kinds: [], life: 0, boot: 1 }));
    scene.mcu.on("72/0", ({ body }) => ({ id: body.id ?? "", status: 200, result: body.args ?? null }));
    void serveMethods(agent, scene.duty);
    await scene.mcu.seen.nth(1);
    await scene.clock.advance(0);
    const { signal } = scene.ending;
    const answer = agent.handlers.get("blink")?.({ requestId: "1", name: "blink", payload: { a: 1 } }, { signal });
    expect(await answer).toEqual({ status: 200, payload: { a: 1 } });
  });

  test("are none where the firmware has no commands", async () => {
    await using scene = await McuScene.create();
    await serveMethods(new FakeMethods(), scene.duty);
    expect(scene.mcu.asked).toEqual(["72/1"]);
  });

  test("are asked for again when the MCU was silent", async () => {
    await using scene = await McuScene.create();
    const agent = new FakeMethods();
    scene.mcu.on("72/1", () => undefined);
    void serveMethods(agent, scene.duty);
    await scene.clock.advance(10_000);
    scene.mcu.on("72/1", () => ({ names: ["blink"] }));
    await scene.clock.advance(61_000);
    expect(agent.names).toEqual(["blink"]);
  });
});
