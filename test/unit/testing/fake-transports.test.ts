import { describe, expect, test } from "vitest";
import { FakeDpsTransport } from "../../../src/testing/fake-dps-transport.ts";
import { FakeHubTransport } from "../../../src/testing/fake-hub-transport.ts";
import type { DpsRequest } from "../../../src/transport/transport.ts";
import { testCredential } from "../../support/test-dialer.ts";

const route = { host: "service.test" };
const atDps = { idScope: "0ne00ABCDEF", registrationId: "sensor-17", credential: testCredential };
const atHub = { deviceId: "sensor-17", credential: testCredential };
const register: DpsRequest = { kind: "register", body: {} };
const poll: DpsRequest = { kind: "status", operationId: "4.d0" };

describe("FakeDpsTransport", () => {
  test("gives queued answers first, then what the first rule that handles a request says", async () => {
    const dps = new FakeDpsTransport()
      .respond({ status: 429, retryAfterMs: 1000 })
      .behave(({ kind }) => (kind === "register" ? { status: 202, body: { operationId: "4.d0" } } : undefined))
      .behave((_, { index, identity }) => ({ status: 200, body: `${identity.registrationId} ${index}` }));
    const channel = await dps.connect(route, atDps);
    expect(await channel.request(register)).toEqual({ status: 429, retryAfterMs: 1000, body: "" });
    expect(await channel.request(register)).toEqual({ status: 202, body: '{"operationId":"4.d0"}' });
    expect(await channel.request(poll)).toEqual({ status: 200, body: "sensor-17 2" });
    expect(dps.requests).toEqual([register, register, poll]);
    expect(dps.connects).toEqual([{ route, identity: atDps }]);
  });

  test("says so when nobody told it what to answer", async () => {
    const channel = await new FakeDpsTransport().connect(route, atDps);
    await expect(channel.request(poll)).rejects.toThrowError("no answer was programmed for request 0 (status)");
  });

  test("lets a rule's error through to its request, and ends the channel", async () => {
    const error = new Error("silence");
    const dps = new FakeDpsTransport().behave(() => error);
    const channel = await dps.connect(route, atDps);
    await expect(channel.request(poll)).rejects.toBe(error);
    expect(dps.openChannels).toBe(0);
  });
});

describe("FakeHubTransport", () => {
  test("keeps the twin over connections, and pushes nothing while nobody is there", async () => {
    const hub = new FakeHubTransport().setTwin({ desired: { $version: 3 }, reported: { $version: 1 } });
    const first = await hub.connect(route, atHub, {});
    expect(await first.patchReported({ fan: { speed: 1 } })).toBe(2);
    first.drop();
    expect(hub.changeDesired({ fan: { speed: 9 } })).toBe(4);
    const second = await hub.connect(route, atHub, {});
    expect(await second.getTwin()).toEqual({
      desired: { fan: { speed: 9 }, $version: 4 },
      reported: { fan: { speed: 1 }, $version: 2 },
    });
    expect(hub.connections).toEqual([first, second]);
    expect(hub.latest).toBe(second);
    expect([first.open, second.open]).toEqual([false, true]);
  });

  test("records what the device did, and waits for it where a test asks", async () => {
    const hub = new FakeHubTransport();
    const connection = await hub.connect(route, atHub, {});
    const arrived = connection.telemetryArrived(2);
    const message = { payload: new Uint8Array([1]) };
    await connection.sendTelemetry(message);
    connection.autoAck = false;
    const unacknowledged = connection.sendTelemetry(message);
    expect(await arrived).toBe(message);
    expect(connection.unacknowledged).toBe(1);
    connection.ack();
    await unacknowledged;
    await connection.patchReported({ a: 1 });
    expect(connection.reportedPatches).toEqual([{ a: 1 }]);
    await connection.getTwin();
    expect(connection.twinReads).toBe(1);
  });

  test("does what its rules say: an error in place of the usual, or a delay before it", async () => {
    const error = new Error("throttled");
    let release: () => void = () => {};
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined);
    });
    const hub = new FakeHubTransport()
      .behave(({ kind }) => (kind === "getTwin" ? error : undefined))
      .behave(({ kind }) => (kind === "telemetry" ? held : undefined));
    const connection = await hub.connect(route, atHub, {});
    await expect(connection.getTwin()).rejects.toBe(error);
    const sending = connection.sendTelemetry({ payload: new Uint8Array() });
    await connection.patchReported({});
    expect(connection.telemetry).toEqual([]);
    release();
    await sending;
    expect(connection.telemetry).toHaveLength(1);
  });

  test("refuses as often as it was told to, and counts the attempts", async () => {
    const hub = new FakeHubTransport().refuseNext();
    hub.credentialExpiresAtMs = 5;
    hub.sessionPresent = true;
    await expect(hub.connect(route, atHub, {})).rejects.toMatchObject({ code: "transport.unavailable" });
    expect(await hub.connect(route, atHub, {})).toMatchObject({ credentialExpiresAtMs: 5, sessionPresent: true });
    expect(hub.attempts).toBe(2);
  });
});
