import { describe, expect, test } from "vitest";
import { LandfallError } from "../../../src/errors.ts";
import { HubSession } from "../../../src/hub/hub-session.ts";
import { FakeHubTransport } from "../../../src/testing/fake-hub-transport.ts";
import type { MethodResponse } from "../../../src/transport/messages.ts";
import type { Route } from "../../../src/transport/transport.ts";
import { HubScene, hour, identity, idsOf, minute, telemetry, watch } from "./hub-scene.ts";

describe("a hub session", () => {
  test("dials nobody before it is started, and tells when it is connected", async () => {
    const scene = new HubScene();
    await scene.turn();
    expect([scene.session.state, scene.transport.attempts]).toEqual(["idle", 0]);
    await scene.connect();
    expect(scene.session.state).toBe("connected");
    expect(scene.events).toEqual(["connecting", "connected"]);
    expect(scene.transport.latest.route).toEqual({ host: "hub-1.example" });
  });

  test("asks for the route anew at every attempt", async () => {
    const scene = new HubScene();
    scene.transport.refuseNext().refuseNext();
    scene.start();
    await scene.clock.advance(minute);
    expect(scene.routes).toHaveLength(3);
  });

  test("a route that cannot be found counts as a failed attempt", async () => {
    const failure = new LandfallError("endpoint.name-not-found", "no such host");
    const scene = new HubScene();
    scene.start({ route: () => Promise.reject(failure) });
    await scene.turn();
    expect(scene.events).toEqual(["connecting", "waiting"]);
  });

  test("gives an attempt up that takes longer than a minute, and drops what it brings later", async () => {
    const scene = new HubScene();
    const { connect } = scene.transport;
    let release: () => void = () => {};
    scene.transport.connect = async (...args) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return connect.apply(scene.transport, [args[0], args[1], args[2]]);
    };
    const errors: Error[] = [];
    scene.session.on("waiting", ({ error }) => errors.push(error));
    scene.start();
    await scene.clock.advance(minute);
    expect(errors).toMatchObject([{ code: "transport.timeout" }]);
    release();
    await scene.turn();
    expect(scene.transport.latest.open).toBe(false);
  });

  test("refuses a credential that the transport cannot carry, at its start and when it moves", () => {
    const transport = new FakeHubTransport({ abilities: { credentials: ["certificate"], challenge: false } });
    const session = HubSession.create({ transport });
    const route = async (): Promise<Route> => ({ host: "hub" });
    const unsupported = expect.objectContaining({ code: "attestation.unsupported-pair" });
    expect(() => session.start({ route, identity: identity() })).toThrow(unsupported);
    expect(() => session.moveTo({ route, identity: identity() })).toThrow(unsupported);
    expect(session.state).toBe("idle");
  });

  test("a second start moves it, and a move before the start does not start it", async () => {
    const scene = new HubScene();
    scene.session.moveTo(scene.destination);
    await scene.turn();
    expect(scene.session.state).toBe("idle");
    await scene.connect();
    scene.start({ route: async () => ({ host: "hub-2.example" }) });
    await scene.turn();
    expect(scene.transport.latest.route.host).toBe("hub-2.example");
  });

  test("connects again after a drop, and sends again what was not acknowledged", async () => {
    const scene = new HubScene();
    scene.transport.autoAck = false;
    await scene.connect();
    const sends = ["1", "2", "3"].map((id) => watch(scene.session.send(telemetry(id))));
    scene.transport.latest.ack();
    await scene.turn();
    scene.transport.latest.drop();
    await scene.clock.advance(1000);
    expect(scene.events.slice(2)).toEqual(["disconnected", "waiting", "connecting", "connected"]);
    expect(idsOf(scene.transport.latest.telemetry)).toEqual(["2", "3"]);
    scene.transport.latest.ack(2);
    await scene.turn();
    expect(sends.map(({ outcome }) => outcome)).toEqual(["done", "done", "done"]);
  });

  test("follows the desired properties over reconnects", async () => {
    const scene = new HubScene();
    const versions: number[] = [];
    void (async () => {
      for await (const { version } of scene.session.desiredChanges()) versions.push(version);
    })();
    await scene.connect();
    await scene.turn();
    scene.transport.latest.drop();
    scene.transport.changeDesired({ a: 1 });
    scene.transport.changeDesired({ a: 2 });
    await scene.clock.advance(1000);
    scene.transport.latest.pushDesired({ a: 3 });
    await scene.turn();
    expect(versions).toEqual([1, 3, 4]);
  });

  test("answers methods from the first connection on, also ones that nobody handles", async () => {
    const scene = await new HubScene().connect();
    expect(await scene.transport.latest.invokeMethod({ name: "dim" })).toMatchObject({ status: 404 });
    scene.session.onMethod("dim", () => ({ status: 200 }));
    scene.session.onOtherMethods(() => ({ status: 299 }));
    expect(await scene.transport.latest.invokeMethod({ name: "dim" })).toEqual({ status: 200 });
    expect(await scene.transport.latest.invokeMethod({ name: "fade" })).toEqual({ status: 299 });
    expect(scene.transport.connections).toHaveLength(1);
  });

  test("a method that is running when the connection drops does not disturb the session", async () => {
    const scene = await new HubScene().connect();
    let answer: (response: MethodResponse) => void = () => {};
    scene.session.onMethod("dim", () => new Promise((resolve) => (answer = resolve)));
    const call = watch(scene.transport.latest.invokeMethod({ name: "dim" }));
    scene.transport.latest.drop();
    await scene.clock.advance(1000);
    answer({ status: 200 });
    await scene.turn();
    expect(call.outcome).toEqual({ status: 200 });
    expect(scene.session.state).toBe("connected");
  });

  test("subscribes to messages and desired properties only when they are consumed", async () => {
    const quiet = await new HubScene().connect();
    expect(Object.keys(quiet.transport.latest.handlers)).toEqual(["onMethod"]);
    const listening = new HubScene();
    void listening.session.messages();
    void listening.session.desiredChanges();
    await listening.connect();
    expect(Object.keys(listening.transport.latest.handlers)).toEqual(["onMethod", "onMessage", "onDesired"]);
  });

  test("whoever starts to listen right after the start is served by the first connection", async () => {
    const scene = new HubScene();
    scene.start();
    void scene.session.messages();
    await scene.session.whenConnected();
    await scene.turn();
    expect(Object.keys(scene.transport.connections[0]?.handlers ?? {})).toContain("onMessage");
    expect(scene.transport.connections).toHaveLength(1);
  });

  test("whoever starts to listen while an attempt is under way is served by a second connection", async () => {
    const scene = new HubScene();
    scene.start();
    const { connect } = scene.transport;
    scene.transport.connect = async (...args) => {
      scene.transport.connect = connect;
      void scene.session.messages();
      return connect.apply(scene.transport, args);
    };
    await scene.turn();
    expect(scene.transport.connections.map(({ handlers }) => "onMessage" in handlers)).toEqual([false, true]);
  });

  test("what a failed attempt delivered goes back before the next one", async () => {
    const scene = new HubScene();
    const consumer = scene.session.messages();
    const { connect } = scene.transport;
    let delivery: { outcome: unknown } | undefined;
    scene.transport.connect = async (_route, _identity, { onMessage }) => {
      scene.transport.connect = connect;
      delivery = watch(onMessage?.({ payload: new Uint8Array(), properties: {} }) ?? Promise.reject());
      throw new LandfallError("transport.closed", "closed while subscribing");
    };
    scene.start();
    await scene.clock.advance(1000);
    expect(delivery?.outcome).toMatchObject({ code: "hub.message-not-completed" });
    const next = watch(consumer.next());
    await scene.turn();
    expect(next.outcome).toBe("pending");
  });

  test("whoever starts to listen later gets a new connection, and nothing is lost on the way", async () => {
    const scene = new HubScene();
    scene.transport.autoAck = false;
    await scene.connect();
    const [first] = scene.transport.connections;
    const sent = watch(scene.session.send(telemetry("1")));
    const next = scene.session.messages().next();
    await scene.turn();
    expect(scene.session.state).toBe("renewing");
    first?.ack();
    await scene.turn();
    expect(sent.outcome).toBe("done");
    expect(scene.transport.connections).toHaveLength(2);
    expect(scene.events.slice(2)).toEqual(["connecting", "connected"]);
    void scene.transport.latest.deliverMessage({ messageId: "m" });
    expect((await next).value?.messageId).toBe("m");
  });

  test("a message is completed at the hub when its consumer goes on", async () => {
    const scene = new HubScene();
    const consumer = scene.session.messages();
    await scene.connect();
    const delivered = scene.transport.latest.deliverMessage({ messageId: "m" });
    await consumer.next();
    void consumer.next();
    expect(await delivered).toBe(true);
  });

  test("a message that a consumer left behind comes again for the next one, over a new connection", async () => {
    const scene = new HubScene();
    const failing = scene.session.messages();
    await scene.connect();
    const delivered = scene.transport.latest.deliverMessage({ messageId: "m" });
    await failing.next();
    await failing.return?.();
    expect(await delivered).toBe(false);
    const next = scene.session.messages().next();
    await scene.turn();
    expect(scene.transport.connections).toHaveLength(2);
    void scene.transport.latest.deliverMessage({ messageId: "m" });
    expect((await next).value?.messageId).toBe("m");
  });

  test("a message that was in hand when the connection dropped is delivered again", async () => {
    const scene = new HubScene();
    const consumer = scene.session.messages();
    await scene.connect();
    void scene.transport.latest.deliverMessage({ messageId: "m" });
    const { value } = await consumer.next();
    scene.transport.latest.drop();
    await scene.clock.advance(1000);
    value?.done();
    const again = watch(scene.transport.latest.deliverMessage({ messageId: "m" }));
    expect((await consumer.next()).value?.messageId).toBe("m");
    await scene.turn();
    expect(again.outcome).toBe("pending");
  });

  test("deliveries of a connection that is gone are not listened to", async () => {
    const scene = new HubScene();
    const consumer = scene.session.messages();
    const changes = scene.session.desiredChanges();
    await scene.connect();
    await changes.next();
    const [old] = scene.transport.connections;
    old?.drop();
    await scene.clock.advance(1000);
    old?.handlers.onDesired?.({ version: 2, patch: { stale: true } });
    await expect(old?.handlers.onMessage?.({ payload: new Uint8Array(), properties: {} })).rejects.toMatchObject({
      code: "hub.message-not-completed",
    });
    const [message, change] = [watch(consumer.next()), watch(changes.next())];
    await scene.turn();
    expect([message.outcome, change.outcome]).toEqual(["pending", "pending"]);
  });

  test("reads the twin and patches reported properties over reconnects", async () => {
    const scene = new HubScene();
    const patching = scene.session.patchReported({ a: 1 });
    const reading = scene.session.readTwin();
    await scene.connect();
    expect(await patching).toBe(2);
    expect(await reading).toMatchObject({ desired: { $version: 1 } });
  });

  test("a listener that throws is reported as uncaught and breaks nothing", async () => {
    const scene = new HubScene();
    const uncaught: unknown[] = [];
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => uncaught.push(error));
    try {
      scene.session.on("connected", () => {
        throw new Error("a fault of the program");
      });
      await scene.connect();
      await scene.turn();
      expect(uncaught).toEqual([new Error("a fault of the program")]);
      await scene.session.send(telemetry("1"));
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const other of others) process.on("uncaughtException", other);
    }
  });
});

describe("a hub session in trouble", () => {
  test("backs off while the hub cannot be reached, and asks for provisioning at the tenth failure", async () => {
    const scene = new HubScene();
    for (let refusal = 0; refusal < 10; refusal++) scene.transport.refuseNext();
    const asked: unknown[] = [];
    scene.session.on("needs-provisioning", (about) => asked.push(about));
    scene.start();
    await scene.clock.advance(10 * minute);
    expect(asked).toMatchObject([{ reason: "unreachable", failures: 10, error: { code: "transport.unavailable" } }]);
    expect(scene.session.state).toBe("connected");
  });

  test("asks for provisioning when it is refused, and goes on trying the assignment it has", async () => {
    const scene = new HubScene();
    const unauthorized = new LandfallError("transport.unauthorized", "refused");
    scene.transport.refuseNext(unauthorized);
    const asked: unknown[] = [];
    scene.session.on("needs-provisioning", (about) => asked.push(about));
    scene.start();
    await scene.clock.advance(1000);
    expect(asked).toEqual([{ reason: "refused", failures: 1, error: unauthorized }]);
    expect(scene.session.state).toBe("connected");
  });

  test("says that it is displaced when the hub keeps closing, and stands back for minutes", async () => {
    const scene = await new HubScene().connect();
    const displaced: { error: LandfallError; delayMs: number }[] = [];
    scene.session.on("displaced", (about) => displaced.push(about));
    for (let eviction = 0; eviction < 3; eviction++) {
      await scene.clock.advance(10_000);
      scene.transport.latest.drop();
      await scene.turn();
    }
    expect(displaced).toMatchObject([{ error: { code: "hub.displaced" }, delayMs: 3.75 * minute }]);
    expect(scene.session.state).toBe("displaced");
    expect(scene.records.some(({ level, message }) => level === "error" && message.includes("same device id"))).toBe(
      true,
    );
    await scene.clock.advance(3.75 * minute - 1);
    expect(scene.transport.connections).toHaveLength(3);
    await scene.clock.advance(1);
    expect(scene.session.state).toBe("connected");
  });

  test("does not call it displacement when the hub closes at our first message each time", async () => {
    const scene = new HubScene();
    scene.transport.autoAck = false;
    const sent = watch(scene.session.send(telemetry("poison")));
    await scene.connect();
    for (let close = 0; close < 5; close++) {
      scene.transport.latest.drop();
      await scene.clock.advance(20_000);
    }
    expect(scene.events).not.toContain("displaced");
    expect(sent.outcome).toBe("pending");
  });

  test("names the expired credential when the connection ends after its expiry", async () => {
    const scene = new HubScene({ renewalTimeoutMs: 0 });
    scene.transport.credentialExpiresAtMs = scene.clock.now() + hour;
    await scene.connect();
    const errors: unknown[] = [];
    scene.session.on("disconnected", ({ error }) => errors.push(error));
    // As after a sleep of the machine: elapsed time stood still.
    scene.clock.step(2 * hour);
    scene.transport.latest.drop();
    await scene.turn();
    expect(errors).toMatchObject([{ code: "hub.credential-expired", cause: { code: "transport.closed" } }]);
  });
});
