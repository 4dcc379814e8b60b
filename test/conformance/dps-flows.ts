import { expect } from "vitest";
import { CertificateAuthority, type IssuedCertificate } from "../../src/emulator/index.ts";
import { type Flow, NotSupported } from "./flow.ts";
import type { DriverInput, Scene } from "./scene.ts";

const registrationId = "sensor-17";
const deviceId = "boiler";
const symmetricKey = { method: "symmetric_key" } as const;

/** A certificate in the form that the SDK takes. */
const x509 = ({ chainPem, privateKeyPem }: IssuedCertificate) => ({ cert: chainPem, key: privateKeyPem });

/** Enrolls the device; returns what the driver has to know. */
function enroll(scene: Scene, options: Record<string, unknown> = {}): { readonly key: string } {
  const enrollment = scene.emulator.dps.enroll({ registrationId, attestation: symmetricKey, ...options });
  return { key: enrollment.deviceKey() };
}

/** Has the driver register; returns the registration state. */
async function register(scene: Scene, input: DriverInput): Promise<Readonly<Record<string, unknown>>> {
  await using device = scene.start("register", { registrationId, ...input });
  const { state } = await device.event("registered");
  return state as Readonly<Record<string, unknown>>;
}

/** Has the driver register in vain; returns the error that the SDK gives its user. */
async function fail(scene: Scene, input: DriverInput): Promise<Readonly<Record<string, unknown>>> {
  await using device = scene.start("register", { registrationId, ...input });
  return await device.event("failed");
}

/** Has the driver register, connect to the assigned hub and send; sees that the message is there. */
async function provision(scene: Scene, input: DriverInput): Promise<void> {
  await using device = scene.start("provision", { registrationId, ...input });
  await device.event("done");
  expect(scene.emulator.hub().received.map((message) => [message.deviceId, message.text()])).toEqual([
    [registrationId, "hello"],
  ]);
}

/** The base of the SDK's HTTP transport makes an error of a 429 before the retrying part can see it. */
function requireRetries({ client }: Scene, outcome: Readonly<Record<string, unknown>>): void {
  if (client.transport !== "Http" || outcome.event !== "failed") return;
  expect(outcome.name).toBe("ThrottlingError");
  throw new NotSupported("a 429 ends the registration at once");
}

/** The SDK's other transports have nothing that takes a TPM. */
function requireTpms({ client }: Scene, outcome: Readonly<Record<string, unknown>>): void {
  if (client.transport === "Http" || outcome.event !== "failed") return;
  expect(outcome).toMatchObject({ name: "ArgumentError" });
  throw new NotSupported("registers a TPM over HTTPS and AMQP only");
}

/** Has the driver register while the service asks for patience at one step. */
async function throttled(scene: Scene, step: "register" | "poll"): Promise<void> {
  const input = enroll(scene);
  scene.emulator.dps.faults.next(registrationId, step, { status: 429, retryAfterSeconds: 1 });
  await using device = scene.start("register", { registrationId, ...input });
  const outcome = await device.json();
  requireRetries(scene, outcome);
  expect(outcome).toMatchObject({ event: "registered", state: { status: "assigned" } });
  const events = scene.emulator.events.of(`dps.${step}`);
  const [refused, again] = [events.findIndex(({ status }) => status === 429), events.length - 1];
  expect(refused).toBeLessThan(again);
  const pauseMs = (events[refused + 1]?.elapsedMs ?? 0) - (events[refused]?.elapsedMs ?? 0);
  expect(pauseMs).toBeGreaterThan(900);
}

/** The flows of the clients for DPS. */
export const dpsFlows: readonly Flow[] = [
  {
    title: "symmetric key, individual enrollment: register, connect to the assigned hub, send",
    run: async (scene) => provision(scene, enroll(scene)),
  },
  {
    title: "symmetric key, group enrollment with a derived key: the same",
    run: async (scene) => {
      const enrollment = scene.emulator.dps.enroll({ group: "line-1", attestation: symmetricKey });
      await provision(scene, { groupKey: enrollment.primaryKey });
    },
  },
  {
    title: "X.509, individual enrollment of the device's own certificate: the same",
    run: async (scene) => {
      const root = await CertificateAuthority.create({ commonName: "Factory root" });
      const issued = await root.issue({ commonName: registrationId, usage: "client" });
      enroll509(scene, issued);
      await provision(scene, { certificate: x509(issued) });
    },
  },
  {
    title: "X.509, group enrollment of a root, certificate with its chain: the same",
    run: async (scene) => {
      const root = await CertificateAuthority.create({ commonName: "Factory root" });
      const line = await root.issueAuthority({ commonName: "Line 1" });
      const issued = await line.issue({ commonName: registrationId, usage: "client" });
      const attestation = { method: "x509", certificate: root.certificatePem } as const;
      scene.emulator.dps.enroll({ group: "factory", attestation });
      await provision(scene, { certificate: x509(issued) });
    },
  },
  {
    title: "TPM 2.0, individual enrollment: the same",
    needsTpm: true,
    run: async (scene, tpm) => {
      const tpmSocket = tpm?.location.replace("swtpm:", "");
      await using device = scene.start("provision-tpm", { tpmSocket });
      const identity = await device.json();
      requireTpms(scene, identity);
      const attestation = { method: "tpm", endorsementKey: String(identity.endorsementKey) } as const;
      scene.emulator.dps.enroll({ registrationId: String(identity.registrationId), deviceId, attestation });
      device.write("enrolled\n");
      await device.event("done");
      expect(scene.emulator.events.of("dps.register").map(({ status }) => status)).toEqual([401, 202]);
      expect(scene.emulator.hub().received.map((message) => [message.deviceId, message.text()])).toEqual([
        [deviceId, "hello"],
      ]);
    },
  },
  {
    title: "custom payload to DPS and back",
    run: async (scene) => {
      const input = enroll(scene, { payload: ({ payload }: { payload: unknown }) => ({ got: payload }) });
      const state = await register(scene, { ...input, payload: { model: "thermostat" } });
      expect(state.payload).toEqual({ got: { model: "thermostat" } });
    },
  },
  {
    title: "custom payload back with characters beyond ASCII",
    run: async (scene) => {
      const input = enroll(scene, { payload: { room: "Küche" } });
      const { payload } = await register(scene, input);
      if (scene.client.transport !== "Http") {
        expect(payload).toEqual({ room: "KC<che" });
        throw new NotSupported("reads the service's answers as ASCII");
      }
      expect(payload).toEqual({ room: "Küche" });
    },
  },
  {
    title: "three polls until it is assigned",
    emulator: { assigningPolls: 2 },
    run: async (scene) => {
      expect(await register(scene, enroll(scene))).toMatchObject({ status: "assigned", deviceId: registrationId });
      expect(scene.emulator.events.of("dps.poll").map(({ status }) => status)).toEqual([202, 202, 200]);
    },
  },
  {
    title: "reprovisioning to another hub",
    emulator: { hubs: ["hub-a", "hub-b"], assigningPolls: 0 },
    run: async (scene) => {
      const { dps } = scene.emulator;
      const enrollment = dps.enroll({ registrationId, attestation: symmetricKey, hubs: ["hub-a"] });
      const input = { key: enrollment.deviceKey() };
      expect(await register(scene, input)).toMatchObject({ substatus: "initialAssignment" });
      enrollment.update({ hubs: ["hub-b"] });
      await using device = scene.start("provision", { registrationId, ...input });
      expect(await device.event("registered")).toMatchObject({ state: { substatus: "deviceDataMigrated" } });
      await device.event("done");
      expect(scene.emulator.hub("hub-a").deviceIds).toEqual([]);
      expect(scene.emulator.hub("hub-b").received.map((message) => message.text())).toEqual(["hello"]);
    },
  },
  {
    title: "429 with retry-after at the registration",
    emulator: { assigningPolls: 0 },
    run: (scene) => throttled(scene, "register"),
  },
  {
    title: "429 with retry-after at a poll",
    emulator: { assigningPolls: 0 },
    run: (scene) => throttled(scene, "poll"),
  },
  {
    title: "refused: disabled enrollment",
    emulator: { assigningPolls: 0 },
    run: async (scene) => {
      expect(await fail(scene, enroll(scene, { disabled: true }))).toMatchObject({ message: "status is disabled" });
    },
  },
  {
    title: "refused: wrong key",
    run: async (scene) => {
      enroll(scene);
      const key = Buffer.alloc(32, 1).toString("base64");
      expect(await fail(scene, { key })).toMatchObject({ name: "UnauthorizedError" });
    },
  },
  {
    title: "refused: no enrollment",
    run: async (scene) => {
      const key = Buffer.alloc(32, 1).toString("base64");
      const { name, message } = await fail(scene, { key });
      // Over HTTP the SDK names only those 404 that a hub sends.
      expect(`${name}: ${message}`).toMatch(/DeviceNotFoundError|Not found/);
    },
  },
  {
    title: "failed: custom allocation with error 400207",
    emulator: { assigningPolls: 0 },
    run: async (scene) => {
      const input = enroll(scene, { failure: { errorCode: 400207, message: "Custom allocation failed." } });
      const { name, result } = await fail(scene, input);
      expect(name).toBe("ProvisioningRegistrationFailedError");
      expect(result).toMatchObject({ registrationState: { errorCode: 400207 } });
    },
  },
];

function enroll509({ emulator }: Scene, { certificatePem }: IssuedCertificate): void {
  emulator.dps.enroll({ registrationId, attestation: { method: "x509", certificate: certificatePem } });
}
