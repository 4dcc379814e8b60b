import { describe, expect, test } from "vitest";
import { forwardTelemetry } from "../../../../src/agent/mcu/forward-telemetry.ts";
import type { MessageOptions } from "../../../../src/agent/message.ts";
import { deferred } from "../../../../src/deferred.ts";
import { LandfallError } from "../../../../src/errors.ts";
import type { CborMap } from "../../../../src/serial/cbor.ts";
import { McuScene } from "./mcu-scene.ts";

interface Sent {
  readonly body: unknown;
  readonly options: MessageOptions;
}

async function telemetryScene() {
  const scene = await McuScene.create();
  scene.mcu.on("71/0", () => ({ boot: 7 }));
  const sent: Sent[] = [];
  const hub = { send: async (): Promise<void> => {} };
  const agent = {
    send: async (body: unknown, options: MessageOptions = {}): Promise<void> => {
      sent.push({ body, options });
      await hub.send();
    },
  };
  const done = forwardTelemetry(agent, scene.duty);
  await scene.mcu.seen.nth(1);
  const push = (n: number, more: CborMap = {}) =>
    scene.mcu.send({
      version: 2,
      operation: "write",
      group: 71,
      command: 1,
      sequence: n,
      body: { boot: 7, n, ms: 1, data: { t: 21.5 }, ...more },
    });
  /** What the gateway answered to pushed messages. */
  const answers = () => scene.mcu.seen.all.filter(({ operation }) => operation === "write-response");
  return { scene, sent, hub, push, answers, done };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("telemetry of the MCU", () => {
  test("goes to the hub with its properties, and is answered once the hub has it", async () => {
    const { scene, sent, hub, push, answers } = await telemetryScene();
    await using _ = scene;
    const acknowledged = deferred<void>();
    hub.send = () => acknowledged.promise;
    push(0, { props: { unit: "C" } });
    push(0, { props: { unit: "C" } });
    await turn();
    expect(sent).toEqual([
      { body: { t: 21.5 }, options: expect.objectContaining({ properties: { unit: "C" }, messageId: "mcu-7-0" }) },
    ]);
    expect(answers()).toEqual([]);
    acknowledged.resolve();
    await scene.mcu.seen.nth(2);
    await turn();
    // One answer, however often it was said meanwhile.
    expect(answers().map(({ body }) => body)).toEqual([{ n: 0 }]);
  });

  test("is allowed again and again, for a restart on a plain UART goes unseen", async () => {
    const { scene } = await telemetryScene();
    await using _ = scene;
    await scene.clock.advance(11_000);
    expect(scene.mcu.bodies("71/0")).toEqual([{ on: true }, { on: true }, { on: true }]);
  });

  test("is not answered when it cannot be sent now: the MCU says it again", async () => {
    const { scene, sent, hub, push, answers } = await telemetryScene();
    await using _ = scene;
    hub.send = async () => {
      throw new LandfallError("transport.closed", "gone");
    };
    push(0);
    await turn();
    expect(answers()).toEqual([]);
    hub.send = async () => {};
    push(0);
    await scene.mcu.seen.nth(2);
    expect(answers().map(({ body }) => body)).toEqual([{ n: 0 }]);
    expect(sent).toHaveLength(2);
  });

  test("that is too large for the hub is refused, since no repetition helps", async () => {
    const { scene, hub, push, answers } = await telemetryScene();
    await using _ = scene;
    hub.send = async () => {
      throw new LandfallError("transport.message-too-large", "too large");
    };
    push(0);
    await scene.mcu.seen.nth(2);
    expect(answers().map(({ body }) => body)).toEqual([{ err: { group: 71, rc: 7 } }]);
  });

  test("ends by itself where the firmware has none, and with its signal", async () => {
    await using without = await McuScene.create();
    await forwardTelemetry({ send: async () => {} }, without.duty);
    expect(without.mcu.asked).toEqual(["71/0"]);
    const { scene, done } = await telemetryScene();
    await using _ = scene;
    scene.ending.abort(new Error("enough"));
    await done;
  });
});
