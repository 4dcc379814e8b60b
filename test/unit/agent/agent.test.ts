import { describe, expect, test, vi } from "vitest";
import { Agent } from "../../../src/agent/agent.ts";
import { SymmetricKeyAttestation } from "../../../src/attestation/symmetric-key-attestation.ts";
import { loadSettings } from "../../../src/config/load.ts";
import { CertificateAuthority } from "../../../src/emulator/certificate-authority.ts";
import { createLogger, type LogRecord } from "../../../src/log.ts";
import { FakeDpsTransport } from "../../../src/testing/fake-dps-transport.ts";
import { FakeHubTransport } from "../../../src/testing/fake-hub-transport.ts";
import type { TransportAbilities } from "../../../src/transport/transport.ts";
import { watch } from "../../support/agent-record.ts";
import { ScratchFolder } from "../../support/scratch-folder.ts";
import { AgentScene, deviceKey, hubA } from "./agent-scene.ts";

const scratch = new ScratchFolder();

/** An agent that is connected to hub A. */
async function connected(): Promise<{ scene: AgentScene; agent: Agent }> {
  const scene = await new AgentScene(scratch.path).store(hubA);
  const agent = await scene.create();
  await agent.start();
  return { scene, agent };
}

describe("making an agent", () => {
  test("reports every fault of the configuration at once, and opens nothing", async () => {
    const wrong = { provisioning: { source: "dps", id_scope: "", atestation: {} }, hub: { keep_alive: 1 } };
    await expect(Agent.create(wrong as never)).rejects.toMatchObject({
      code: "config.invalid",
      details: expect.arrayContaining([
        expect.stringContaining("provisioning.id_scope"),
        expect.stringContaining("provisioning.atestation"),
        expect.stringContaining("hub.keep_alive"),
      ]),
    });
  });

  test("knows who it is", async () => {
    await using scene = new AgentScene(scratch.path);
    const agent = await scene.create({ configuration: { hub: { telemetry_window: 7 } } });
    expect([agent.registrationId, agent.telemetryWindow, agent.place]).toEqual(["device-1", 7, undefined]);
  });

  test("a key that its group can read is warned about once, with the setting and the command", async () => {
    const authority = await CertificateAuthority.create({ commonName: "Factory" });
    const issued = await authority.issue({ commonName: "device-1", usage: "client" });
    const certificate = await scratch.write("device.pem", issued.chainPem);
    const key = await scratch.write("device.key", issued.privateKeyPem, 0o640);
    const records: LogRecord[] = [];
    const toml = await scratch.write(
      "landfall.toml",
      `[provisioning]\nsource = "dps"\nid_scope = "0ne00000001"\n[provisioning.attestation]\nmethod = "x509"\n` +
        `identity_cert = "${certificate}"\nidentity_pk = "${key}"\n[state]\ndirectory = "${scratch.file("state")}"\n`,
    );
    const log = createLogger("warn", (record) => records.push(record));
    await using _ = await Agent.fromSettings(await loadSettings({ file: toml }), { log });
    expect(records.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^provisioning\.attestation\.identity_pk: .*chmod 600 .*device\.key$/),
    ]);
  });

  test("a warning of the credential's own is told all the same", async () => {
    const authority = await CertificateAuthority.create({ commonName: "Factory" });
    const issued = await authority.issue({ commonName: "device-1", usage: "client" });
    // The configuration takes the certificate for public; only who opens it sees the key in it.
    const both = await scratch.write("both.pem", issued.chainPem + issued.privateKeyPem, 0o640);
    const key = await scratch.write("other.key", issued.privateKeyPem);
    const records: LogRecord[] = [];
    await using _ = await Agent.create(
      {
        provisioning: {
          source: "dps",
          id_scope: "0ne00000001",
          attestation: { method: "x509", identity_cert: both, identity_pk: key },
        },
      },
      { log: createLogger("warn", (record) => records.push(record)) },
    );
    expect(records.map(({ message }) => message)).toEqual([expect.stringContaining(`chmod 600 ${both}`)]);
  });

  test("says which proxy WebSocket connections go through, and keeps its password to itself", async () => {
    await using scene = new AgentScene(scratch.path);
    const network = { proxy: "http://worker:t0psecret@proxy.example:3128" };
    await scene.create({ configuration: { network, hub: { transport: "mqtt-ws" } } });
    const said = scene.records.find(({ message }) => message.includes("go through a proxy"));
    expect(said?.fields).toEqual({ proxy: expect.stringContaining("proxy.example:3128"), from: "configuration" });
    expect(JSON.stringify(scene.records)).not.toContain("t0psecret");

    await using plain = new AgentScene(scratch.path);
    await plain.create({ configuration: { network } });
    expect(JSON.stringify(plain.records)).not.toContain("proxy.example");
  });

  test("lets go of the key when it cannot be made", async () => {
    const released = vi.spyOn(SymmetricKeyAttestation.prototype, "close");
    await using scene = new AgentScene(scratch.path);
    await scene.create();
    const { settings } = scene;
    const beyond = { ...settings, hub: { ...settings.hub, telemetryWindow: 0 } };
    await expect(Agent.fromSettings({ settings: beyond, warnings: [] })).rejects.toMatchObject({
      code: "config.invalid",
    });
    expect(released).toHaveBeenCalledTimes(1);
    released.mockRestore();
  });

  test.each([
    ["DPS", { dpsTransport: new FakeDpsTransport({ name: "cert-only", abilities: abilities("certificate") }) }],
    ["the hub", { hubTransport: new FakeHubTransport({ name: "cert-only", abilities: abilities("certificate") }) }],
  ])("refuses a transport to %s that cannot carry the credential", async (_, transport) => {
    await using scene = new AgentScene(scratch.path);
    await expect(scene.create(transport)).rejects.toMatchObject({
      code: "attestation.unsupported-pair",
      message: expect.stringContaining('"cert-only"'),
    });
  });
});

function abilities(credential: TransportAbilities["credentials"][number]): TransportAbilities {
  return { credentials: [credential], challenge: false };
}

describe("a connected agent", () => {
  test("sends JSON marked as JSON, and bytes as they are", async () => {
    const { scene, agent } = await connected();
    await using _ = scene;
    await agent.send({ level: 3 }, { properties: { alarm: "false" }, messageId: "m-1" });
    await agent.send("text");
    await agent.send(new Uint8Array([1, 2]), { contentType: "application/cbor" });
    await agent.sendMessage({ payload: new Uint8Array([3]) });
    const [json, text, bytes, ready] = scene.hub.latest.telemetry;
    expect(json).toEqual({
      payload: new TextEncoder().encode('{"level":3}'),
      properties: { alarm: "false" },
      messageId: "m-1",
      contentType: "application/json",
      contentEncoding: "utf-8",
    });
    expect(text?.payload).toEqual(new TextEncoder().encode('"text"'));
    expect(bytes).toEqual({ payload: new Uint8Array([1, 2]), contentType: "application/cbor" });
    expect(ready).toEqual({ payload: new Uint8Array([3]) });
  });

  test("refuses what is larger than the hub takes before it is sent", async () => {
    const { scene, agent } = await connected();
    await using _ = scene;
    await expect(agent.send(new Uint8Array(262_145))).rejects.toMatchObject({ code: "transport.message-too-large" });
    expect(scene.hub.latest.telemetry).toEqual([]);
  });

  test("has no more messages under way than the window allows, and drains", async () => {
    await using scene = await new AgentScene(scratch.path).store(hubA);
    const agent = await scene.create({ configuration: { hub: { telemetry_window: 2 } } });
    await agent.start();
    scene.hub.latest.autoAck = false;
    const sends = [1, 2, 3].map((n) => watch(agent.send({ n })));
    const drained = watch(agent.drain());
    await scene.turn();
    expect(scene.hub.latest.telemetry).toHaveLength(2);
    scene.hub.latest.ack();
    await scene.turn();
    expect(scene.hub.latest.telemetry).toHaveLength(3);
    expect(drained.outcome).toBe("pending");
    scene.hub.latest.ack(2);
    await scene.turn();
    expect([...sends, drained].map(({ outcome }) => outcome)).toEqual(["done", "done", "done", "done"]);
  });

  test("completes a cloud message when the loop asks for the next one", async () => {
    await using scene = await new AgentScene(scratch.path).store(hubA);
    const agent = await scene.create();
    const messages = agent.messages();
    await agent.start();
    const delivered = watch(scene.hub.latest.deliverMessage({ messageId: "m-1" }));
    expect((await messages.next()).value).toMatchObject({ messageId: "m-1" });
    await scene.turn();
    expect(delivered.outcome).toBe("pending");
    void messages.next();
    await scene.turn();
    expect(delivered.outcome).toBe(true);
  });

  test("answers methods until their registration is disposed of", async () => {
    const { scene, agent } = await connected();
    await using _ = scene;
    const registration = agent.onMethod("blink", ({ payload }) => ({ status: 200, payload: { saw: payload } }));
    expect(() => agent.onMethod("blink", () => ({ status: 200 }))).toThrow(
      expect.objectContaining({ code: "hub.method-exists" }),
    );
    const call = { name: "blink", payload: 3 };
    expect(await scene.hub.latest.invokeMethod(call)).toEqual({ status: 200, payload: { saw: 3 } });
    registration[Symbol.dispose]();
    expect(await scene.hub.latest.invokeMethod(call)).toMatchObject({ status: 404 });
  });

  test("follows the desired properties, reports, and reads the twin", async () => {
    await using scene = await new AgentScene(scratch.path).store(hubA);
    const agent = await scene.create();
    const changes = agent.desiredChanges();
    await agent.start();
    expect((await changes.next()).value).toMatchObject({ version: 1, desired: {} });
    scene.hub.latest.pushDesired({ level: 3 });
    expect((await changes.next()).value).toMatchObject({ version: 2, patch: { level: 3 } });
    expect(await agent.report({ level: 3 })).toBe(2);
    expect((await agent.twin()).reported).toEqual({ level: 3, $version: 2 });
  });

  test("tells of a lost connection, of the wait, and of the next one", async () => {
    const { scene, agent } = await connected();
    await using _ = scene;
    scene.hub.latest.drop();
    const { delayMs } = await scene.event("waiting");
    expect(scene.eventNames).toEqual(["assigned", "endpoint", "connected", "disconnected", "waiting"]);
    const again = watch(agent.whenConnected());
    await scene.clock.advance(delayMs);
    await scene.event("connected", 2);
    await scene.turn();
    expect(again.outcome).toBe("done");
    // The way is the same as before, which is no news.
    expect(scene.told("endpoint")).toHaveLength(1);
  });

  test("tells of a renewed token", async () => {
    await using scene = await new AgentScene(scratch.path).store(hubA);
    scene.hub.credentialExpiresAtMs = scene.clock.now() + 3_600_000;
    const agent = await scene.create();
    await agent.start();
    const expiresAtMs = scene.clock.now() + 7_200_000;
    scene.hub.credentialExpiresAtMs = expiresAtMs;
    await scene.clock.advance(3_600_000);
    expect(scene.told("renewed")).toEqual([{ expiresAtMs }]);
    expect(scene.told("disconnected")).toEqual([]);
  });

  test("says that it is being thrown out, and stays away for minutes", async () => {
    const { scene } = await connected();
    await using _ = scene;
    for (let time = 1; time <= 3; time++) {
      scene.hub.latest.drop();
      await scene.event("disconnected", time);
      if (time < 3) await scene.clock.advance((await scene.event("waiting", time)).delayMs);
    }
    const { error, delayMs } = await scene.event("displaced");
    expect(error).toMatchObject({ code: "hub.displaced" });
    expect(delayMs).toBeGreaterThan(120_000);
    const attempts = scene.hub.attempts;
    await scene.clock.advance(delayMs - 1);
    expect(scene.hub.attempts).toBe(attempts);
    await scene.clock.advance(1);
    expect(scene.hub.attempts).toBe(attempts + 1);
    expect(scene.dps.connects).toHaveLength(0);
  });
});

describe("no secret", () => {
  test("is in any log line or event", async () => {
    const { scene } = await connected();
    await using _ = scene;
    const seen = JSON.stringify([scene.records, scene.happened]);
    expect(seen).not.toContain(deviceKey);
    expect(seen).not.toContain(deviceKey.slice(0, 12));
  });
});
