import { describe, expect, test } from "vitest";
import { CertificateAuthority } from "../../src/emulator/index.ts";
import { canHavePrivateWorld } from "../support/private-world.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { Scene } from "./scene.ts";

const folder = new ScratchFolder();
const canHaveRealNames = await canHavePrivateWorld();
const registrationId = "sensor-17";
const mqtt = { service: "hub", transport: "Mqtt", package: "azure-iot-device-mqtt", needsRealNames: true } as const;

/** An enrollment with a certificate, and the part of a configuration that goes with it. */
async function withCertificate({ emulator }: Scene) {
  const root = await CertificateAuthority.create({ commonName: "Factory root" });
  const line = await root.issueAuthority({ commonName: "Line 1" });
  const { chainPem, privateKeyPem } = await line.issue({ commonName: registrationId, usage: "client" });
  emulator.dps.enroll({ group: "factory", attestation: { method: "x509", certificate: root.certificatePem } });
  return {
    method: "x509",
    identity_cert: await folder.write("device.pem", chainPem),
    identity_pk: await folder.write("device.key", privateKeyPem),
  };
}

/** The same with a key. */
async function withKey({ emulator }: Scene) {
  const enrollment = emulator.dps.enroll({ registrationId, attestation: { method: "symmetric_key" } });
  return { method: "symmetric_key", registration_id: registrationId, symmetric_key: enrollment.deviceKey() };
}

describe.skipIf(!canHaveRealNames)("landfall's agent over the SDK's transports (needs real names)", () => {
  test.each([
    ["Mqtt", "Mqtt", "a key", withKey],
    ["MqttWs", "MqttWs", "a certificate", withCertificate],
    ["Http", "Mqtt", "a certificate", withCertificate],
  ] as const)("DPS over %s, hub over %s, with %s", async (dps, hub, _, enroll) => {
    await using scene = await Scene.open(mqtt, true, folder, { assigningPolls: 0 });
    const attestation = await enroll(scene);
    const configuration = {
      provisioning: { source: "dps", id_scope: scene.emulator.ready.idScope, attestation },
      // What the library dials by itself; the agent would look for name servers, and there are none in there.
      network: { connect_to: ["::127.0.0.1:"] },
      state: { directory: folder.file(`state-${dps}-${hub}`) },
    };
    await using device = scene.start("agent", { configuration, dps, hub });
    expect(await device.event("started")).toMatchObject({ hub: "hub-a.azure-devices.net", deviceId: registrationId });
    expect(await device.event("reported")).toMatchObject({ version: 2 });
    const [message] = scene.emulator.hub().received;
    expect(message?.json()).toEqual({ hello: "world" });
    expect(message?.properties).toEqual({ "a b": "ä" });
    const answer = await scene.emulator.hub().invokeMethod(registrationId, "ping", [1]);
    expect(answer).toMatchObject({ status: 200, payload: { pong: [1] } });
    await device.event("done");
  });
});
