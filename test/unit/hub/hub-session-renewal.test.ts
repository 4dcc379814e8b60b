import { describe, expect, test } from "vitest";
import { LandfallError } from "../../../src/errors.ts";
import type { MethodResponse } from "../../../src/transport/messages.ts";
import { HubScene, hour, identity, idsOf, minute, telemetry, watch } from "./hub-scene.ts";

/** A connected session whose token lives for an hour, before a hub that acknowledges when told to. */
async function withToken(options: ConstructorParameters<typeof HubScene>[0] = {}): Promise<HubScene> {
  const scene = new HubScene(options);
  scene.transport.autoAck = false;
  scene.transport.credentialExpiresAtMs = scene.clock.now() + hour;
  await scene.connect();
  scene.transport.credentialExpiresAtMs = scene.clock.now() + 2 * hour;
  return scene;
}

describe("renewal of the credential", () => {
  test("replaces the connection a quarter of the token's life ahead, without being down in between", async () => {
    const scene = await withToken();
    const renewed: unknown[] = [];
    scene.session.on("renewed", (about) => renewed.push(about));
    await scene.clock.advance(45 * minute - 1);
    expect(scene.transport.connections).toHaveLength(1);
    await scene.clock.advance(1);
    expect(scene.transport.connections).toHaveLength(2);
    expect(scene.transport.connections[0]?.open).toBe(false);
    expect(scene.events.slice(2)).toEqual(["connecting", "connected", "renewed"]);
    expect(renewed).toMatchObject([{ cause: "renewal", credentialExpiresAtMs: scene.transport.credentialExpiresAtMs }]);
  });

  test("goes on for ever", async () => {
    const scene = await withToken();
    for (let renewal = 1; renewal <= 5; renewal++) {
      scene.transport.credentialExpiresAtMs = scene.clock.now() + hour + 45 * minute;
      await scene.clock.advance(45 * minute);
      expect(scene.transport.connections).toHaveLength(renewal + 1);
    }
    expect(scene.events).not.toContain("disconnected");
  });

  test("waits for acknowledgements under way, and sends new messages over the new connection only", async () => {
    const scene = await withToken();
    const [first] = scene.transport.connections;
    const sends = [watch(scene.session.send(telemetry("1")))];
    await scene.clock.advance(45 * minute);
    sends.push(watch(scene.session.send(telemetry("2"))));
    await scene.clock.advance(10_000);
    expect(scene.session.state).toBe("renewing");
    first?.ack();
    await scene.turn();
    expect(idsOf(first?.telemetry ?? [])).toEqual(["1"]);
    expect(idsOf(scene.transport.latest.telemetry)).toEqual(["2"]);
    scene.transport.latest.ack();
    await scene.turn();
    expect(sends.map(({ outcome }) => outcome)).toEqual(["done", "done"]);
  });

  test("waits no longer than 30 seconds; what was not acknowledged is sent again", async () => {
    const scene = await withToken();
    void scene.session.send(telemetry("1"));
    await scene.clock.advance(45 * minute + 29_999);
    expect(scene.transport.connections).toHaveLength(1);
    await scene.clock.advance(1);
    expect(idsOf(scene.transport.latest.telemetry)).toEqual(["1"]);
    expect(scene.transport.connections).toHaveLength(2);
  });

  test("waits for a reported patch under way", async () => {
    const scene = await withToken();
    let answer: () => void = () => {};
    let held = 0;
    scene.transport.behave(({ kind }) => {
      if (kind !== "patchReported" || held++ > 0) return undefined;
      return new Promise((resolve) => {
        answer = () => resolve(undefined);
      });
    });
    const patches = [watch(scene.session.patchReported({ a: 1 })), watch(scene.session.patchReported({ b: 2 }))];
    await scene.clock.advance(45 * minute);
    expect(scene.session.state).toBe("renewing");
    answer();
    await scene.turn();
    expect(scene.transport.connections.map(({ reportedPatches }) => reportedPatches)).toEqual([[{ a: 1 }], [{ b: 2 }]]);
    expect(patches.map(({ outcome }) => outcome)).toEqual([2, 3]);
  });

  test("lets a running method answer first, which may need telemetry for it", async () => {
    const scene = await withToken();
    const [first] = scene.transport.connections;
    let begin: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    scene.session.onMethod("measure", async (): Promise<MethodResponse> => {
      await begun;
      await scene.session.send(telemetry("measured"));
      return { status: 200 };
    });
    const call = watch(first?.invokeMethod({ name: "measure" }) ?? Promise.reject());
    await scene.clock.advance(45 * minute - 10_000);
    const other = watch(first?.invokeMethod({ name: "measure" }) ?? Promise.reject());
    await scene.clock.advance(10_000);
    begin();
    await scene.turn();
    expect(scene.session.state).toBe("renewing");
    first?.ack(2);
    await scene.turn();
    expect(call.outcome).toMatchObject({ status: 504 });
    expect(other.outcome).toEqual({ status: 200 });
    expect(scene.transport.connections).toHaveLength(2);
  });

  test("lets a consumer complete the message in its hands, and leaves the others to the next connection", async () => {
    const scene = new HubScene();
    const consumer = scene.session.messages();
    scene.transport.credentialExpiresAtMs = scene.clock.now() + hour;
    await scene.connect();
    await scene.clock.advance(45 * minute - 1);
    const deliveries = ["1", "2"].map((messageId) => scene.transport.latest.deliverMessage({ messageId }));
    await consumer.next();
    await scene.clock.advance(1);
    expect(scene.session.state).toBe("renewing");
    const next = consumer.next();
    expect(await Promise.all(deliveries)).toEqual([true, false]);
    await scene.turn();
    void scene.transport.latest.deliverMessage({ messageId: "2" });
    expect((await next).value?.messageId).toBe("2");
  });

  test("a connection that drops while it is being replaced is replaced at once", async () => {
    const scene = await withToken();
    const sent = watch(scene.session.send(telemetry("1")));
    await scene.clock.advance(45 * minute);
    scene.transport.latest.drop();
    await scene.turn();
    expect(scene.transport.connections).toHaveLength(2);
    scene.transport.latest.ack();
    await scene.turn();
    expect(sent.outcome).toBe("done");
    expect(scene.events).not.toContain("disconnected");
  });

  test("a connection that does not close in time is dropped", async () => {
    const scene = await withToken();
    const [first] = scene.transport.connections;
    if (first) first.close = () => new Promise(() => {});
    await scene.clock.advance(45 * minute + 1000);
    expect(first?.open).toBe(false);
    expect(scene.transport.connections).toHaveLength(2);
  });

  test("the end of a connection that was replaced is no news, however late it comes", async () => {
    const scene = await withToken();
    const [first] = scene.transport.connections;
    if (first) first.close = async () => {};
    await scene.clock.advance(45 * minute);
    expect(scene.transport.connections).toHaveLength(2);
    first?.drop();
    await scene.turn();
    expect(scene.session.state).toBe("connected");
    expect(scene.events).not.toContain("disconnected");
  });

  test("when the new token is refused, the session is down and says so", async () => {
    const scene = await withToken();
    scene.transport.refuseNext(new LandfallError("transport.unauthorized", "refused"));
    await scene.clock.advance(45 * minute);
    expect(scene.events.slice(2)).toEqual(["connecting", "disconnected", "needs-provisioning", "waiting"]);
  });

  test("survives steps of the wall clock in both directions", async () => {
    const scene = await withToken();
    scene.clock.step(-10 * minute);
    await scene.clock.advance(45 * minute);
    expect(scene.events.filter((name) => name === "renewed")).toHaveLength(1);
    scene.transport.credentialExpiresAtMs = scene.clock.now() + 3 * hour;
    scene.clock.step(10 * hour);
    await scene.clock.advance(minute);
    expect(scene.events.filter((name) => name === "renewed")).toHaveLength(2);
    expect(scene.events).not.toContain("disconnected");
  });
});

describe("moving to another assignment", () => {
  const elsewhere = { route: async () => ({ host: "hub-2.example" }), identity: identity("device-2") };

  test("connects to the new hub as the new device, and takes unacknowledged telemetry along", async () => {
    const scene = await withToken();
    const [first] = scene.transport.connections;
    const sends = ["1", "2"].map((id) => watch(scene.session.send(telemetry(id))));
    first?.ack();
    scene.session.moveTo(elsewhere);
    await scene.clock.advance(30_000);
    const { latest } = scene.transport;
    expect([latest.route.host, latest.identity.deviceId]).toEqual(["hub-2.example", "device-2"]);
    expect(idsOf(latest.telemetry)).toEqual(["2"]);
    latest.ack();
    await scene.turn();
    expect(sends.map(({ outcome }) => outcome)).toEqual(["done", "done"]);
    expect(first?.open).toBe(false);
  });

  test("ends a wait at once", async () => {
    const scene = new HubScene();
    for (let refusal = 0; refusal < 9; refusal++) scene.transport.refuseNext();
    scene.start();
    await scene.clock.advance(80_000);
    const attempts = scene.transport.attempts;
    scene.session.moveTo(elsewhere);
    await scene.turn();
    expect(scene.transport.attempts).toBe(attempts + 1);
  });

  test("gives up an attempt that goes to the old hub", async () => {
    const scene = new HubScene();
    const signals: AbortSignal[] = [];
    scene.start({
      route: ({ signal }) => {
        signals.push(signal);
        return new Promise(() => {});
      },
    });
    await scene.turn();
    scene.session.moveTo(elsewhere);
    await scene.session.whenConnected();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(scene.transport.connections.map(({ route }) => route.host)).toEqual(["hub-2.example"]);
  });

  test("tells desired properties of the new hub as the difference, though its version is lower", async () => {
    const scene = new HubScene();
    scene.transport.setTwin({ desired: { a: 1, b: 2, $version: 9 }, reported: { $version: 1 } });
    const changes = scene.session.desiredChanges();
    await scene.connect();
    await changes.next();
    scene.transport.setTwin({ desired: { a: 1, c: 3, $version: 2 }, reported: { $version: 1 } });
    scene.session.moveTo(elsewhere);
    expect((await changes.next()).value).toEqual({ version: 2, patch: { b: null, c: 3 }, desired: { a: 1, c: 3 } });
  });
});
