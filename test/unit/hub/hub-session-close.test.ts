import { describe, expect, test } from "vitest";
import type { MethodResponse } from "../../../src/transport/messages.ts";
import { HubScene, hour, idsOf, minute, telemetry, watch } from "./hub-scene.ts";

const closed = expect.objectContaining({ code: "hub.closed" });

describe("closing a hub session", () => {
  test("sends what still waits, and disconnects in an orderly way once it is acknowledged", async () => {
    const scene = new HubScene({ telemetryWindow: 1 });
    scene.transport.autoAck = false;
    await scene.connect();
    const { latest } = scene.transport;
    const sends = ["1", "2"].map((id) => watch(scene.session.send(telemetry(id))));
    const closing = watch(scene.session.close());
    await scene.turn();
    latest.ack();
    await scene.turn();
    expect(closing.outcome).toBe("pending");
    latest.ack();
    await scene.turn();
    expect([closing, ...sends].map(({ outcome }) => outcome)).toEqual(["done", "done", "done"]);
    expect(await latest.ended).toBeUndefined();
    expect(scene.session.state).toBe("stopped");
    expect(scene.clock.pending).toEqual([]);
  });

  test("waits no longer than its bound, then rejects what is left", async () => {
    const scene = new HubScene();
    scene.transport.autoAck = false;
    await scene.connect();
    const sent = watch(scene.session.send(telemetry("1")));
    const closing = watch(scene.session.close());
    await scene.clock.advance(2999);
    expect(closing.outcome).toBe("pending");
    await scene.clock.advance(1);
    expect([closing.outcome, sent.outcome]).toEqual(["done", closed]);
  });

  test("lets running methods answer, and answers new ones with 503 afterwards", async () => {
    const scene = await new HubScene().connect();
    const { latest } = scene.transport;
    let answer: (response: MethodResponse) => void = () => {};
    scene.session.onMethod("dim", () => new Promise((resolve) => (answer = resolve)));
    const call = latest.invokeMethod({ name: "dim" });
    const closing = scene.session.close();
    await scene.turn();
    answer({ status: 200 });
    expect(await call).toEqual({ status: 200 });
    await closing;
    expect(await latest.handlers.onMethod?.({ requestId: "2", name: "dim", payload: null })).toMatchObject({
      status: 503,
    });
  });

  test("rejects everything that waits while there is no connection, at once", async () => {
    const scene = new HubScene();
    scene.transport.refuseNext();
    scene.start();
    await scene.turn();
    const { session } = scene;
    const waiting = [
      session.send(telemetry("1")),
      session.whenConnected(),
      session.patchReported({ a: 1 }),
      session.readTwin(),
      session.drain(),
    ].map(watch);
    await session.close();
    await scene.turn();
    expect(waiting.map(({ outcome }) => outcome)).toEqual(Array(5).fill(closed));
    expect(scene.clock.pending).toEqual([]);
  });

  test("ends the sequences of messages and desired changes", async () => {
    const scene = new HubScene();
    const nexts = [scene.session.messages().next(), scene.session.desiredChanges().next()];
    await scene.session.close();
    expect(await Promise.all(nexts)).toEqual(Array(2).fill({ done: true, value: undefined }));
  });

  test("gives up an attempt under way", async () => {
    const scene = new HubScene();
    scene.start({ route: () => new Promise(() => {}) });
    await scene.turn();
    await scene.session.close();
    expect(scene.session.state).toBe("stopped");
    expect(scene.clock.pending).toEqual([]);
  });

  test("during a renewal still sends what waits for the new connection", async () => {
    const scene = new HubScene({ telemetryWindow: 1 });
    scene.transport.autoAck = false;
    scene.transport.credentialExpiresAtMs = scene.clock.now() + hour;
    await scene.connect();
    const { latest } = scene.transport;
    const sends = [watch(scene.session.send(telemetry("1")))];
    await scene.clock.advance(45 * minute);
    sends.push(watch(scene.session.send(telemetry("2"))));
    const closing = scene.session.close();
    latest.ack();
    await scene.turn();
    expect(idsOf(latest.telemetry)).toEqual(["1", "2"]);
    latest.ack();
    await closing;
    expect(sends.map(({ outcome }) => outcome)).toEqual(["done", "done"]);
    expect(scene.transport.connections).toHaveLength(1);
  });

  test("takes over from a renewal that still waits for a method", async () => {
    const scene = new HubScene({ telemetryWindow: 1 });
    scene.transport.autoAck = false;
    scene.transport.credentialExpiresAtMs = scene.clock.now() + hour;
    await scene.connect();
    const { latest } = scene.transport;
    let answer: (response: MethodResponse) => void = () => {};
    scene.session.onMethod("dim", () => new Promise((resolve) => (answer = resolve)), { timeoutMs: hour });
    const call = watch(latest.invokeMethod({ name: "dim" }));
    const sends = ["1", "2"].map((id) => watch(scene.session.send(telemetry(id))));
    await scene.clock.advance(45 * minute);
    const closing = scene.session.close();
    await scene.turn();
    answer({ status: 200 });
    await scene.turn();
    for (const _ of sends) {
      latest.ack();
      await scene.turn();
    }
    await closing;
    expect([call, ...sends].map(({ outcome }) => outcome)).toEqual([{ status: 200 }, "done", "done"]);
  });

  test("takes nothing new, and may be asked for twice", async () => {
    const scene = await new HubScene().connect();
    const { session } = scene;
    await Promise.all([session.close(), session.close()]);
    expect(() => session.start(scene.destination)).toThrow(closed);
    await expect(session.send(telemetry("1"))).rejects.toEqual(closed);
    await expect(session.patchReported({})).rejects.toEqual(closed);
    await expect(session.readTwin()).rejects.toEqual(closed);
    expect(() => session.messages()).toThrow(closed);
    expect(() => session.desiredChanges()).toThrow(closed);
    expect(() => session.moveTo(scene.destination)).toThrow(closed);
  });

  test("is what `await using` does", async () => {
    const scene = new HubScene();
    {
      await using session = scene.session;
      session.start(scene.destination);
      await session.whenConnected();
    }
    expect(scene.session.state).toBe("stopped");
  });

  test.each(["connecting", "connected", "disconnected", "waiting"] as const)(
    "can be asked for by a listener of the event %s",
    async (name) => {
      const scene = new HubScene();
      const closing = new Promise<void>((resolve) => {
        scene.session.on(name, () => resolve(scene.session.close()));
      });
      scene.start();
      await scene.turn();
      scene.transport.connections[0]?.drop();
      await closing;
      expect(scene.clock.pending).toEqual([]);
      await scene.clock.advance(minute);
      expect(scene.session.state).toBe("stopped");
      expect(scene.transport.attempts).toBeLessThanOrEqual(1);
    },
  );
});

describe("destroying a hub session", () => {
  test("drops the connection at once and rejects everything with the reason", async () => {
    const scene = new HubScene();
    scene.transport.autoAck = false;
    await scene.connect();
    const sent = watch(scene.session.send(telemetry("1")));
    const reason = new Error("out of memory");
    scene.session.destroy(reason);
    expect(scene.transport.latest.open).toBe(false);
    await scene.turn();
    expect(sent.outcome).toMatchObject({ code: "hub.closed", cause: reason });
    expect(scene.session.state).toBe("stopped");
  });

  test("cuts a close short", async () => {
    const scene = new HubScene();
    scene.transport.autoAck = false;
    await scene.connect();
    const sent = watch(scene.session.send(telemetry("1")));
    const closing = scene.session.close();
    await scene.turn();
    scene.session.destroy();
    await closing;
    await scene.turn();
    expect(sent.outcome).toEqual(closed);
    expect(scene.clock.pending).toEqual([]);
  });
});
