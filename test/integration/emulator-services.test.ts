import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { access, readFile, stat, writeFile } from "node:fs/promises";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { request } from "node:https";
import { join } from "node:path";
import tls from "node:tls";
import { beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { CertificateAuthority, Emulator, type IssuedCertificate, seededRandom } from "../../src/emulator/index.ts";
import { createLogger } from "../../src/log.ts";
import { poll, register } from "../support/emulated-dps.ts";
import {
  type Dial,
  ForeignDevice,
  type ForeignOptions,
  overTls,
  overWebSocket,
  sasToken,
} from "../support/foreign-device.ts";
import { gone } from "../support/gone.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const scratch = new ScratchFolder();
const globalDps = "global.azure-devices-provisioning.net";
const inAnHour = (): number => Date.now() + 3_600_000;

type Carrier = (emulator: Emulator, dial: Dial) => ReturnType<typeof overTls>;

/** What a device says to DPS, with a token when it has a key. */
function dpsOptions(registrationId: string, key?: string): ForeignOptions {
  const resource = `0ne00ABCDEF/registrations/${registrationId}`;
  return {
    clientId: registrationId,
    username: `${resource}/api-version=2019-03-31`,
    ...(key === undefined ? {} : { password: sasToken(resource, key, { expiresAtMs: inAnHour() }) }),
  };
}

/** What a device says to a hub, with a token when it has a key. */
function hubOptions(host: string, deviceId: string, key?: string): ForeignOptions {
  return {
    clientId: deviceId,
    username: `${host}/${deviceId}/?api-version=2021-04-12`,
    ...(key === undefined
      ? {}
      : { password: sasToken(`${host}/devices/${deviceId}`, key, { expiresAtMs: inAnHour() }) }),
  };
}

/** Registers over one connection and returns where the device was assigned. */
async function provision(device: ForeignDevice): Promise<{ assignedHub: string; deviceId: string }> {
  await device.subscribe("$dps/registrations/res/#");
  let answer = await register(device);
  while (answer.status === 202) answer = await poll(device, String(answer.body.operationId));
  expect(answer).toMatchObject({ status: 200, body: { status: "assigned" } });
  await device.leave();
  return answer.body.registrationState as { assignedHub: string; deviceId: string };
}

/** The whole way of one device: DPS, hub, one message. */
async function walk(
  emulator: Emulator,
  carrier: Carrier,
  registrationId: string,
  key?: string,
  identity?: IssuedCertificate,
) {
  const dial = identity === undefined ? {} : { identity };
  const dps = await ForeignDevice.connect(
    carrier(emulator, { servername: globalDps, ...dial }),
    dpsOptions(registrationId, key),
  );
  const { assignedHub, deviceId } = await provision(dps);
  const options = hubOptions(assignedHub, deviceId, key);
  await using hub = await ForeignDevice.connect(carrier(emulator, { servername: assignedHub, ...dial }), options);
  await hub.publish(`devices/${deviceId}/messages/events/`, "hello");
  expect(emulator.hub(assignedHub).received.at(-1)?.text()).toBe("hello");
  return emulator.hub(assignedHub).connections;
}

const carriers: readonly [string, Carrier][] = [
  ["MQTT", overTls],
  ["WebSocket", overWebSocket],
  ["WebSocket with the subprotocol MQTT", (emulator, dial) => overWebSocket(emulator, dial, { protocol: "MQTT" })],
];

describe.each(carriers)("over %s, a device", (_name, carrier) => {
  test("with a symmetric key is provisioned and served", async () => {
    await using emulator = await Emulator.start({ hubs: ["hub-a", "hub-b"], retryAfterSeconds: 0 });
    const { primaryKey } = emulator.dps.enroll({ registrationId: "dev", attestation: { method: "symmetric_key" } });
    expect(await walk(emulator, carrier, "dev", primaryKey)).toMatchObject([{ deviceId: "dev", credential: "sas" }]);
  });

  test("with a certificate below an intermediate is provisioned and served", async () => {
    const root = await CertificateAuthority.create({ commonName: "Factory root" });
    const line = await root.issueAuthority({ commonName: "Line 1" });
    const identity = await line.issue({ commonName: "dev", usage: "client" });
    await using emulator = await Emulator.start({ retryAfterSeconds: 0 });
    emulator.dps.enroll({ group: "factory", attestation: { method: "x509", certificate: root.certificatePem } });
    expect(await walk(emulator, carrier, "dev", undefined, identity)).toMatchObject([
      { deviceId: "dev", credential: "certificate" },
    ]);
  });
});

describe("a certificate", () => {
  let root: CertificateAuthority;
  let identity: IssuedCertificate;
  beforeAll(async () => {
    root = await CertificateAuthority.create({ commonName: "Factory root" });
    identity = await root.issue({ commonName: "dev", usage: "client" });
  });

  test("of the device alone can be enrolled, and no other one gets in at DPS or hub", async () => {
    await using emulator = await Emulator.start({ retryAfterSeconds: 0 });
    emulator.dps.enroll({
      registrationId: "dev",
      attestation: { method: "x509", certificate: identity.certificatePem },
    });
    await walk(emulator, overTls, "dev", undefined, identity);
    const other = await root.issue({ commonName: "dev", usage: "client" });
    const dps = await ForeignDevice.connect(
      overTls(emulator, { servername: globalDps, identity: other }),
      dpsOptions("dev"),
    );
    await dps.subscribe("$dps/registrations/res/#");
    expect(await register(dps)).toMatchObject({ status: 401, body: { errorCode: 401002 } });
    await dps.leave();
    const [host = ""] = emulator.ready.hubs;
    for (const dial of [{ identity: other }, {}]) {
      const connecting = ForeignDevice.connect(
        overTls(emulator, { servername: host, ...dial }),
        hubOptions(host, "dev"),
      );
      await expect(connecting).rejects.toBe(5);
    }
  });

  test("by an authority of the hub connects without DPS", async () => {
    await using emulator = await Emulator.start();
    const [host = ""] = emulator.ready.hubs;
    emulator
      .hub()
      .addDevice({ deviceId: "dev", authentication: { method: "x509_ca", certificate: root.certificatePem } });
    emulator
      .hub()
      .addDevice({ deviceId: "other", authentication: { method: "x509_ca", certificate: root.certificatePem } });
    const dial = overTls(emulator, { servername: host, identity });
    await (await ForeignDevice.connect(dial, hubOptions(host, "dev"))).leave();
    await expect(ForeignDevice.connect(dial, hubOptions(host, "other"))).rejects.toBe(5);
  });

  test("is seen with its whole chain over TLS 1.2 as well", async () => {
    await using emulator = await Emulator.start({ retryAfterSeconds: 0 });
    const line = await root.issueAuthority({ commonName: "Line 1" });
    const member = await line.issue({ commonName: "dev", usage: "client" });
    emulator.dps.enroll({ group: "factory", attestation: { method: "x509", certificate: root.certificatePem } });
    const dps = await ForeignDevice.connect(
      () =>
        tls.connect({
          host: "127.0.0.1",
          port: emulator.ready.mqttPort,
          servername: globalDps,
          ca: emulator.authority.certificatePem,
          cert: member.chainPem,
          key: member.privateKeyPem,
          maxVersion: "TLSv1.2",
        }),
      dpsOptions("dev"),
    );
    expect(await provision(dps)).toMatchObject({ deviceId: "dev" });
  });
});

describe("an emulator", () => {
  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "resumes no session over %s, since that would hide a certificate chain",
    async (version) => {
      await using emulator = await Emulator.start();
      const { ready, authority } = emulator;
      const [servername = ""] = ready.hubs;
      const dial = { host: "127.0.0.1", port: ready.mqttPort, servername, ca: authority.certificatePem };
      const first = tls.connect({ ...dial, minVersion: version, maxVersion: version }).resume();
      const [session] = (await once(first, "session")) as [Buffer];
      first.destroy();
      const second = tls.connect({ ...dial, minVersion: version, maxVersion: version, session });
      await once(second, "secureConnect");
      expect(second.isSessionReused()).toBe(false);
      second.destroy();
    },
  );

  test("tells where it is", async () => {
    await using emulator = await Emulator.start({ hubs: ["hub-a", "iot.example.com"] });
    const { mqttPort, wsPort, caFile } = emulator.ready;
    expect(emulator.ready).toEqual({
      schema: "landfall.emulator/1",
      mqttPort: expect.any(Number),
      wsPort: expect.any(Number),
      caFile: expect.any(String),
      idScope: "0ne00ABCDEF",
      dpsHost: globalDps,
      hubs: ["hub-a.azure-devices.net", "iot.example.com"],
    });
    expect(await readFile(caFile, "utf8")).toBe(emulator.authority.certificatePem);
    expect(emulator.connectTo).toEqual([`:8883:127.0.0.1:${mqttPort}`, `:443:127.0.0.1:${wsPort}`]);
    expect(emulator.hub()).toBe(emulator.hub("hub-a"));
    expect(emulator.hub("iot.example.com")).toBe(emulator.hubs[1]);
    expect(() => emulator.hub("hub-x")).toThrow(/There is no hub hub-x; there are: hub-a, iot\.example\.com/);
  });

  test("serves clients that are pointed at localhost, and hands out localhost where it is told to", async () => {
    await using emulator = await Emulator.start({
      hubs: ["hub-a", "hub-b"],
      assign: "localhost",
      retryAfterSeconds: 0,
    });
    const { primaryKey } = emulator.dps.enroll({
      registrationId: "dev",
      attestation: { method: "symmetric_key" },
      hubs: ["hub-b"],
    });
    const dial = overTls(emulator, { servername: "localhost" });
    const { assignedHub } = await provision(await ForeignDevice.connect(dial, dpsOptions("dev", primaryKey)));
    expect(assignedHub).toBe(`localhost:${emulator.ready.mqttPort}`);
    await using hub = await ForeignDevice.connect(dial, hubOptions(assignedHub, "dev", primaryKey));
    await hub.publish("devices/dev/messages/events/");
    expect(emulator.hub("hub-b").received).toHaveLength(1);
  });

  test("does not lead a client to a hub whose name it did not ask for", async () => {
    await using emulator = await Emulator.start({ hubs: ["hub-a", "hub-b"] });
    const { primaryKey } = emulator.hub("hub-a").addDevice({ deviceId: "dev" });
    const [, hubB = ""] = emulator.ready.hubs;
    const dial = overTls(emulator, { servername: hubB });
    await expect(ForeignDevice.connect(dial, hubOptions(hubB, "dev", primaryKey))).rejects.toBe(5);
    await expect(
      ForeignDevice.connect(overTls(emulator, { servername: "localhost" }), { clientId: "dev" }),
    ).rejects.toBe("closed");
  });

  test("takes no text from a WebSocket", async () => {
    const logged: string[] = [];
    const log = createLogger("warn", ({ message }) => void logged.push(message));
    await using emulator = await Emulator.start({ log });
    const url = `wss://localhost:${emulator.ready.wsPort}/$iothub/websocket`;
    const webSocket = new WebSocket(url, "mqtt", { ca: emulator.authority.certificatePem });
    await once(webSocket, "open");
    webSocket.send("\u0010"); // as CONNECT begins
    await once(webSocket, "close");
    expect(logged).toEqual(["closed a connection: a WebSocket message of text, where MQTT has binary ones"]);
  });

  test("takes WebSockets at its one path only, with or without a query, and answers everything else with 404", async () => {
    await using emulator = await Emulator.start();
    const [host = ""] = emulator.ready.hubs;
    const { primaryKey } = emulator.hub().addDevice({ deviceId: "dev" });
    const at = (path: string) =>
      ForeignDevice.connect(
        overWebSocket(emulator, { servername: host }, { path }),
        hubOptions(host, "dev", primaryKey),
      );
    await (await at("/$iothub/websocket?iothub-no-client-cert=true")).leave();
    const upgrade = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
      "Sec-WebSocket-Version": "13",
    };
    const statusAt = async (path: string, headers: OutgoingHttpHeaders): Promise<number | undefined> => {
      const { ready, authority } = emulator;
      const target = { host: "127.0.0.1", port: ready.wsPort, servername: host, ca: authority.certificatePem };
      const [response] = (await once(request({ ...target, path, headers }).end(), "response")) as [IncomingMessage];
      return response.resume().statusCode;
    };
    for (const path of ["/", "//", "/$iothub/websocket/more"]) expect(await statusAt(path, upgrade)).toBe(404);
    expect(await statusAt("/$iothub/websocket", {})).toBe(404);
  });

  test("makes the same keys and ids from the same seed", async () => {
    const made = await Promise.all(
      [1, 1, 2].map(async (seed) => {
        await using emulator = await Emulator.start({ random: seededRandom(seed) });
        return emulator.dps.enroll({ registrationId: "dev", attestation: { method: "symmetric_key" } }).primaryKey;
      }),
    );
    expect(made[0]).toBe(made[1]);
    expect(made[0]).not.toBe(made[2]);
  });

  test("begins with the enrollments it is given", async () => {
    await using emulator = await Emulator.start({
      enrollments: [{ registrationId: "dev", attestation: { method: "symmetric_key" } }],
    });
    expect(emulator.dps.enrollments.map(({ id }) => id)).toEqual(["dev"]);
    const wrong = { registrationId: "dev.", attestation: { method: "symmetric_key" } } as const;
    await expect(Emulator.start({ enrollments: [wrong] })).rejects.toMatchObject({ code: "emulator.rejected" });
    await expect(Emulator.start({ hubs: ["a", "a"] })).rejects.toMatchObject({ code: "emulator.rejected" });
    await expect(
      Emulator.start({ mqttPort: 65_536, assigningPolls: -1, retryAfterSeconds: 0.5 }),
    ).rejects.toMatchObject({
      code: "emulator.rejected",
      details: [/^mqttPort: /, /^assigningPolls: /, /^retryAfterSeconds: .* found 0\.5$/].map((line) =>
        expect.stringMatching(line),
      ),
    });
  });

  test("says so when a port is taken, and leaves nothing open", async () => {
    await using emulator = await Emulator.start();
    const { mqttPort } = emulator.ready;
    for (const port of [{ mqttPort }, { webSocketPort: mqttPort }]) {
      await expect(Emulator.start(port)).rejects.toMatchObject({
        code: "emulator.listen-failed",
        message: `Could not listen on 127.0.0.1:${mqttPort}: EADDRINUSE.`,
      });
    }
  });

  test("keeps its authority in a directory, readable by its owner alone", async () => {
    const directory = scratch.file(randomUUID());
    const first = await Emulator.start({ directory });
    await first.close();
    await using second = await Emulator.start({ directory });
    expect(second.authority.certificatePem).toBe(first.authority.certificatePem);
    expect(second.ready.caFile).toBe(join(directory, "ca.pem"));
    expect((await stat(join(directory, "ca.key.pem"))).mode & 0o777).toBe(0o600);
    const { primaryKey } = second.hub().addDevice({ deviceId: "dev" });
    const [host = ""] = second.ready.hubs;
    // The client trusts the certificate of the first start.
    const dial = overTls({ ready: second.ready, authority: first.authority } as Emulator, { servername: host });
    await (await ForeignDevice.connect(dial, hubOptions(host, "dev", primaryKey))).leave();
  });

  test.each([
    ["certificate", "ca.pem"],
    ["key", "ca.key.pem"],
  ])("refuses a directory whose %s is spoilt", async (_what, file) => {
    const directory = scratch.file(randomUUID());
    await (await Emulator.start({ directory })).close();
    await writeFile(join(directory, file), "spoilt");
    await expect(Emulator.start({ directory })).rejects.toMatchObject({ code: "emulator.authority-unusable" });
  });

  test("refuses the key of another authority", async () => {
    const directory = scratch.file(randomUUID());
    await (await Emulator.start({ directory })).close();
    await writeFile(
      join(directory, "ca.key.pem"),
      (await CertificateAuthority.create({ commonName: "Other" })).privateKeyPem,
    );
    await expect(Emulator.start({ directory })).rejects.toMatchObject({ code: "emulator.authority-unusable" });
  });

  test("ends everything when it is closed, however often", async () => {
    const emulator = await Emulator.start();
    const [host = ""] = emulator.ready.hubs;
    const { primaryKey } = emulator.hub().addDevice({ deviceId: "dev" });
    const device = await ForeignDevice.connect(
      overTls(emulator, { servername: host }),
      hubOptions(host, "dev", primaryKey),
    );
    await device.subscribe("$iothub/methods/POST/#");
    const method = emulator
      .hub()
      .invokeMethod("dev", "never-answered")
      .catch((error: unknown) => error);
    const telemetry = emulator.hub().telemetry().next();
    const event = emulator.events.next("hub.twin-read").catch((error: unknown) => error);
    const idle = tls.connect({
      host: "127.0.0.1",
      port: emulator.ready.mqttPort,
      servername: host,
      ca: emulator.authority.certificatePem,
    });
    await once(idle, "secureConnect");
    idle.on("error", () => {});
    const idleClosed = gone(idle);
    await Promise.all([emulator.close(), emulator.close()]);
    await Promise.all([device.closed, idleClosed]);
    expect(await method).toMatchObject({ code: "emulator.rejected" });
    expect(await telemetry).toMatchObject({ done: true });
    expect(await event).toMatchObject({ code: "emulator.closed" });
    await expect(access(emulator.ready.caFile)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
