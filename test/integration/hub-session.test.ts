import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { sasCredential } from "../../src/attestation/sas-token.ts";
import { Emulator, type Hub } from "../../src/emulator/index.ts";
import { TlsDialer } from "../../src/endpoint/tls-dialer.ts";
import type { Waiting } from "../../src/hub/connection-news.ts";
import { HubSession } from "../../src/hub/hub-session.ts";
import type { Destination } from "../../src/hub/hub-traffic.ts";
import { SymmetricKey } from "../../src/keys/symmetric-key.ts";
import { Secret } from "../../src/secret.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { MqttHubTransport } from "../../src/transport/mqtt/mqtt-hub-transport.ts";

const minute = 60_000;
const deviceId = "sensor-17";

/** A session with an emulated hub over real sockets, on a clock that both share. */
class Bench implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly emulator: Emulator;
  readonly hub: Hub;
  readonly transport: MqttHubTransport;
  readonly destination: Destination;
  readonly session: HubSession;

  private constructor(clock: FakeClock, emulator: Emulator, authority: string, carrier: "tcp" | "websocket") {
    this.clock = clock;
    this.emulator = emulator;
    this.hub = emulator.hub();
    const { primaryKey = "" } = this.hub.addDevice({ deviceId, authentication: { method: "symmetric_key" } });
    const dialer = new TlsDialer({ clock, trustBundle: authority, lookup: async () => ["127.0.0.1"] });
    const { mqttPort, wsPort } = emulator.ready;
    this.transport = new MqttHubTransport({ dialer, clock, carrier });
    this.destination = {
      route: async () => ({ host: this.hub.hostName, port: carrier === "tcp" ? mqttPort : wsPort }),
      identity: { deviceId, credential: sasCredential(SymmetricKey.parse(new Secret(primaryKey))) },
    };
    this.session = HubSession.create({ transport: this.transport, clock, random: () => 0.5 });
  }

  static async open(carrier: "tcp" | "websocket" = "tcp"): Promise<Bench> {
    const clock = new FakeClock();
    const emulator = await Emulator.start({ clock });
    return new Bench(clock, emulator, await readFile(emulator.ready.caFile, "utf8"), carrier);
  }

  async connect(): Promise<void> {
    this.session.start(this.destination);
    await this.session.whenConnected();
  }

  /** Has the session lose its connection, and lets no more time pass than the session waits before it connects again. */
  async lose(cut: () => unknown): Promise<void> {
    const waiting = once(this.session, "waiting");
    await cut();
    await this.waitOut(waiting);
  }

  async waitOut(waiting: Promise<unknown[]>): Promise<void> {
    const [{ delayMs }] = (await waiting) as [Waiting];
    const connected = once(this.session, "connected");
    await this.clock.advance(delayMs);
    await connected;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session.close();
    await this.emulator.close();
  }
}

const text = (id: number): { payload: Uint8Array; messageId: string } => ({
  payload: Buffer.from(`message ${id}`),
  messageId: String(id),
});

describe.each(["tcp", "websocket"] as const)("a hub session over MQTT on %s", (carrier) => {
  test("gets every message through in order while the connection is cut again and again", async () => {
    await using bench = await Bench.open(carrier);
    await bench.connect();
    const sends: Promise<void>[] = [];
    for (let round = 0; round < 4; round++) {
      for (let each = 0; each < 50; each++) sends.push(bench.session.send(text(sends.length)));
      await bench.lose(() => bench.hub.dropConnection(deviceId));
    }
    await Promise.all(sends);
    const ids = bench.hub.received.map(({ messageId }) => Number(messageId));
    const firstArrivals = [...new Set(ids)];
    expect(firstArrivals).toEqual(Array.from({ length: 200 }, (_, id) => id));
  });

  test("renews its token ahead of the expiry without losing or repeating an acknowledged message", async () => {
    await using bench = await Bench.open(carrier);
    await bench.connect();
    for (let renewal = 0; renewal < 3; renewal++) {
      await bench.session.send(text(renewal));
      const renewed = once(bench.session, "renewed");
      await bench.clock.advance(45 * minute);
      await renewed;
    }
    await bench.session.send(text(3));
    expect(bench.hub.received.map(({ messageId }) => messageId)).toEqual(["0", "1", "2", "3"]);
    expect(bench.hub.connections).toHaveLength(1);
  });
});

describe("a hub session with an emulated hub", () => {
  test("says that it is displaced when another client takes over again and again", async () => {
    await using bench = await Bench.open();
    await bench.connect();
    const displaced = once(bench.session, "displaced");
    const { signal } = new AbortController();
    const takeOver = async (): Promise<void> => {
      const { route, identity } = bench.destination;
      const rival = await bench.transport.connect(await route({ signal }), identity, {});
      bench.session.once("disconnected", () => rival.destroy());
    };
    for (let takeover = 0; takeover < 2; takeover++) await bench.lose(takeOver);
    await takeOver();
    const [{ error }] = await displaced;
    expect(error).toMatchObject({ code: "hub.displaced" });
    expect(bench.session.state).toBe("displaced");
  });

  test("asks for provisioning when the hub refuses it", async () => {
    await using bench = await Bench.open();
    bench.hub.disableDevice(deviceId);
    const asked = once(bench.session, "needs-provisioning");
    const waiting = once(bench.session, "waiting");
    bench.session.start(bench.destination);
    expect(await asked).toMatchObject([{ reason: "refused", error: { code: "transport.unauthorized" } }]);
    bench.hub.enableDevice(deviceId);
    await bench.waitOut(waiting);
  });

  test("hands over a message that its consumer left behind once more", async () => {
    await using bench = await Bench.open();
    const failing = bench.session.messages();
    await bench.connect();
    bench.hub.sendToDevice(deviceId, { payload: "do it", messageId: "m-1" });
    expect((await failing.next()).value?.messageId).toBe("m-1");
    await failing.return?.();
    const consumer = bench.session.messages();
    expect((await consumer.next()).value?.messageId).toBe("m-1");
    void consumer.next();
    await bench.session.send(text(0));
    await expect.poll(() => bench.emulator.events.of("hub.message-completed")).toMatchObject([{ messageId: "m-1" }]);
  });

  test("follows the twin over a drop, and answers methods on every connection", async () => {
    await using bench = await Bench.open();
    bench.session.onMethod("echo", ({ payload }) => ({ status: 200, payload }));
    const changes = bench.session.desiredChanges();
    await bench.connect();
    await changes.next();
    bench.hub.updateDesired(deviceId, { interval: 5 });
    expect((await changes.next()).value?.patch).toEqual({ interval: 5 });
    await bench.lose(() => {
      bench.hub.dropConnection(deviceId);
      bench.hub.updateDesired(deviceId, { interval: null, mode: "eco" });
    });
    expect((await changes.next()).value).toMatchObject({ patch: { interval: null, mode: "eco" } });
    expect(await bench.session.patchReported({ mode: "eco" })).toBeGreaterThan(1);
    expect(bench.hub.twin(deviceId).reported).toMatchObject({ mode: "eco" });
    expect(await bench.hub.invokeMethod(deviceId, "echo", { a: 1 })).toMatchObject({ status: 200, payload: { a: 1 } });
    await expect(bench.session.patchReported({ "not.allowed": 1 })).rejects.toMatchObject({
      code: "hub.twin-rejected",
      service: { status: 400 },
    });
  });
});
