import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { createAttestation } from "../../../src/attestation/create-attestation.ts";
import type { SymmetricKeySettings, X509Settings } from "../../../src/config/settings.ts";
import { CertificateAuthority } from "../../../src/emulator/certificate-authority.ts";
import type { Credential } from "../../../src/keys/credential.ts";
import { Secret } from "../../../src/secret.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { ScratchFolder } from "../../support/scratch-folder.ts";

const folder = new ScratchFolder();
const notBefore = new Date("2026-03-01T00:00:00Z");
const clock = new FakeClock(Date.UTC(2026, 5, 1));
const dps = { source: "dps", clock } as const;
const manual = { source: "manual", clock } as const;
let root: CertificateAuthority;

beforeAll(async () => {
  root = await CertificateAuthority.create({ commonName: "Factory root", notBefore });
});

/** Settings of a device whose certificate has this common name. */
async function x509(commonName: string, registrationId?: string): Promise<X509Settings> {
  const { chainPem, privateKeyPem } = await root.issue({ commonName, usage: "client", notBefore });
  return {
    method: "x509",
    ...(registrationId === undefined ? {} : { registrationId }),
    source: {
      kind: "pem",
      certificate: await folder.write("device.pem", chainPem),
      privateKey: await folder.write("device.key", privateKeyPem),
    },
  };
}

describe("X.509 attestation", () => {
  test("offers the certificate to DPS and to the hub, and nothing in the register body", async () => {
    const { attestation, warnings } = await createAttestation(await x509("sensor-17", "sensor-17"), dps);
    expect(attestation).toMatchObject({ method: "x509", registrationId: "sensor-17" });
    expect(warnings).toEqual([]);
    expect(await attestation.evidence()).toEqual({});
    const credential = await attestation.credential();
    expect(credential).toMatchObject({ kind: "certificate" });
    expect(await attestation.hubCredential()).toEqual(credential);
    expect(attestation.answer).toBeUndefined();
  });

  test("takes the common name where no registration id is set", async () => {
    const { attestation } = await createAttestation(await x509("sensor-17"), dps);
    expect(attestation.registrationId).toBe("sensor-17");
  });

  test("holds the common name to the rules of DPS, too", async () => {
    await expect(createAttestation(await x509("sensor 17"), dps)).rejects.toMatchObject({
      code: "attestation.registration-id",
    });
  });

  test("refuses a registration id that is not well-formed before it looks at any file", async () => {
    const source = { kind: "pem", certificate: "/absent", privateKey: "/absent" } as const;
    await expect(
      createAttestation({ method: "x509", registrationId: "x".repeat(65), source }, dps),
    ).rejects.toMatchObject({ code: "attestation.registration-id" });
  });

  test("refuses a certificate for another device, naming both", async () => {
    await expect(createAttestation(await x509("sensor-17", "sensor-18"), dps)).rejects.toMatchObject({
      code: "certificate.name-mismatch",
      message: expect.stringMatching(/"sensor-18".*"sensor-17"/),
    });
  });

  test("takes another case of letters, with a warning", async () => {
    const { attestation, warnings } = await createAttestation(await x509("Sensor-17", "sensor-17"), dps);
    expect(attestation.registrationId).toBe("sensor-17");
    expect(warnings).toEqual([expect.stringMatching(/"sensor-17".*"Sensor-17"/)]);
  });

  test("refuses a key that is not the certificate's", async () => {
    const settings = await x509("sensor-17");
    await folder.write("device.key", (await root.issue({ commonName: "x", usage: "client" })).privateKeyPem);
    await expect(createAttestation(settings, dps)).rejects.toMatchObject({ code: "certificate.key-mismatch" });
  });

  test("refuses a certificate outside its time", async () => {
    const late = { ...dps, clock: new FakeClock(Date.UTC(2100, 0, 1)) };
    await expect(createAttestation(await x509("sensor-17"), late)).rejects.toMatchObject({
      code: "certificate.not-valid-now",
      message: expect.stringContaining("2100-01-01"),
    });
  });

  test("releases the key when it is closed", async () => {
    const { attestation } = await createAttestation(await x509("sensor-17"), dps);
    const credential = await attestation.credential();
    if (credential?.kind !== "certificate") throw new Error("expected a certificate");
    await expect(credential.identity.secureContext({})).resolves.toBeDefined();
    await attestation.close();
    await attestation[Symbol.asyncDispose]();
    await expect(credential.identity.secureContext({})).rejects.toMatchObject({ code: "key.unusable" });
  });

  describe("straight at a hub", () => {
    test("goes by the device id, to which the rules of DPS do not apply", async () => {
      const { attestation, warnings } = await createAttestation(await x509("pump@hall=3", "pump@hall=3"), manual);
      expect(attestation.registrationId).toBe("pump@hall=3");
      expect(warnings).toEqual([]);
    });

    test.each([
      ["another name", "thumbprint-only"],
      ["another case of letters, which a hub tells apart", "Sensor-17"],
    ])("takes a certificate with %s, with a warning", async (_, commonName) => {
      const { attestation, warnings } = await createAttestation(await x509(commonName, "sensor-17"), manual);
      expect(attestation.registrationId).toBe("sensor-17");
      expect(warnings).toEqual([expect.stringMatching(`"sensor-17".*"${commonName}".*thumbprint`)]);
    });
  });
});

describe("symmetric key attestation", () => {
  const base64 = Buffer.alloc(64, 5).toString("base64");
  const settings: SymmetricKeySettings = {
    method: "symmetric_key",
    registrationId: "sensor-17",
    symmetricKey: new Secret(base64),
    derive: false,
  };

  async function tokenFrom(credential: Credential | undefined): Promise<string> {
    if (credential?.kind !== "sas") throw new Error("expected a signer of tokens");
    return (await credential.token({ resource: "scope/registrations/sensor-17", expiresAtMs: 0 })).text.reveal();
  }

  test("offers tokens of the same key to DPS and to the hub, and nothing in the register body", async () => {
    const { attestation, warnings } = await createAttestation(settings, dps);
    expect(attestation).toMatchObject({ method: "symmetric_key", registrationId: "sensor-17" });
    expect(warnings).toEqual([]);
    expect(await attestation.evidence()).toEqual({});
    expect(await tokenFrom(await attestation.credential())).toBe(await tokenFrom(await attestation.hubCredential()));
    await attestation.close();
  });

  test("derives the device's own key from the group's, when told so", async () => {
    const { keys } = JSON.parse(readFileSync("test/vectors/derived-key.json", "utf8"));
    const [{ groupKey, registrationId, deviceKey }] = keys;
    const device = { ...settings, registrationId };
    const derived = await createAttestation({ ...device, symmetricKey: new Secret(groupKey), derive: true }, dps);
    const given = await createAttestation({ ...device, symmetricKey: new Secret(deviceKey) }, dps);
    const group = await createAttestation({ ...device, symmetricKey: new Secret(groupKey) }, dps);
    const token = await tokenFrom(await derived.attestation.credential());
    expect(token).toBe(await tokenFrom(await given.attestation.credential()));
    expect(token).not.toBe(await tokenFrom(await group.attestation.credential()));
  });

  test("refuses a registration id that is not well-formed", async () => {
    await expect(createAttestation({ ...settings, registrationId: "a b" }, dps)).rejects.toMatchObject({
      code: "attestation.registration-id",
    });
  });

  test("straight at a hub goes by the device id, to which the rules of DPS do not apply", async () => {
    const { attestation } = await createAttestation({ ...settings, registrationId: "pump@hall=3" }, manual);
    expect(attestation.registrationId).toBe("pump@hall=3");
  });

  test("refuses a key that is none, and shows nothing of it", async () => {
    const symmetricKey = new Secret("HostName=h;DeviceId=d;SharedAccessKey=c2VjcmV0");
    const error = await createAttestation({ ...settings, symmetricKey }, dps).catch((reason) => reason);
    expect(error).toMatchObject({ code: "attestation.symmetric-key" });
    expect(inspect(error)).not.toContain("c2VjcmV0");
  });

  test("is never shown", async () => {
    const { attestation } = await createAttestation(settings, dps);
    expect(inspect(attestation, { depth: 9, showHidden: true })).not.toContain(base64);
  });
});
