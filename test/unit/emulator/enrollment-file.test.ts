import { beforeAll, describe, expect, test } from "vitest";
import { CertificateAuthority, parseEnrollmentFile } from "../../../src/emulator/index.ts";
import type { LandfallError } from "../../../src/errors.ts";
import { activationVectors } from "../../support/paper-tpm.ts";
import { ScratchFolder } from "../../support/scratch-folder.ts";

const scratch = new ScratchFolder();
const key = Buffer.alloc(32, 1).toString("base64");
let pem: string;

beforeAll(async () => {
  pem = (await CertificateAuthority.create({ commonName: "Line 1" })).certificatePem;
  await scratch.write("line-1.pem", pem);
  await scratch.write("not.pem", "hello");
});

function faultsOf(text: string): readonly string[] {
  try {
    parseEnrollmentFile(text, { baseDirectory: scratch.path });
  } catch (error) {
    expect((error as LandfallError).code).toBe("emulator.enrollment-file");
    return (error as LandfallError).details;
  }
  return [];
}

describe("an enrollment file", () => {
  test("holds individual enrollments and groups, with everything that code can say", () => {
    const text = `
      [[individual]]
      registration_id = "dev-1"
      device_id = "boiler"
      attestation = { method = "symmetric_key", primary_key = "${key}" }
      disabled = true
      hubs = ["hub-b"]
      allocation = "custom"
      latencies_ms = { hub-b = 20, hub-c = 7.5 }
      callback_url = "http://127.0.0.1:7071/api/allocate"
      reprovisioning = "reset"
      initial_twin = { desired = { interval = 5 }, tags = { site = "north" } }
      payload = { hello = "device" }
      failure = { error_code = 400207, message = "no" }

      [[individual]]
      registration_id = "dev-2"
      attestation = { method = "symmetric_key" }

      [[group]]
      name = "line-1"
      attestation = { method = "x509", certificate = "line-1.pem" }
    `;
    const usual = { disabled: false, allocation: "hashed", reprovisioning: "migrate" };
    expect(parseEnrollmentFile(text, { baseDirectory: scratch.path })).toEqual([
      {
        registrationId: "dev-1",
        deviceId: "boiler",
        attestation: { method: "symmetric_key", primaryKey: key },
        disabled: true,
        hubs: ["hub-b"],
        allocation: "custom",
        latenciesMs: { "hub-b": 20, "hub-c": 7.5 },
        customAllocation: "http://127.0.0.1:7071/api/allocate",
        reprovisioning: "reset",
        initialTwin: { desired: { interval: 5 }, tags: { site: "north" } },
        payload: { hello: "device" },
        failure: { errorCode: 400207, message: "no" },
      },
      { registrationId: "dev-2", attestation: { method: "symmetric_key" }, ...usual },
      { group: "line-1", attestation: { method: "x509", certificate: pem }, ...usual },
    ]);
  });

  test("may be JSON of the same shape, with certificates in it", () => {
    const text = JSON.stringify({
      group: [{ name: "g", attestation: { method: "x509", certificate: pem, secondary_certificate: pem } }],
    });
    expect(parseEnrollmentFile(text)).toMatchObject([
      { group: "g", attestation: { certificate: pem, secondaryCertificate: pem } },
    ]);
  });

  test("enrolls a TPM by its keys, one device at a time", () => {
    const { endorsementKey, storageRootKey } = activationVectors;
    const tpm = { method: "tpm", endorsement_key: endorsementKey.public };
    const individual = [
      { registration_id: "a", attestation: tpm },
      { registration_id: "b", attestation: { ...tpm, storage_root_key: storageRootKey.public } },
    ];
    expect(parseEnrollmentFile(JSON.stringify({ individual }))).toMatchObject([
      { attestation: { method: "tpm", endorsementKey: endorsementKey.public } },
      { attestation: { storageRootKey: storageRootKey.public } },
    ]);
    expect(faultsOf(JSON.stringify({ group: [{ name: "g", attestation: tpm }] }))).toContainEqual(
      expect.stringContaining("group[0].attestation.method"),
    );
    const none = { registration_id: "a", attestation: { method: "tpm" } };
    const other = { registration_id: "b", attestation: { ...tpm, endorsement_key: "AAQAIwAL" } };
    expect(faultsOf(JSON.stringify({ individual: [none, other] }))).toEqual([
      expect.stringContaining("individual[0].attestation.endorsement_key"),
      expect.stringContaining("individual[1].attestation.endorsement_key: expected the key type RSA 0x0001"),
    ]);
  });

  test.each(["", "{}", "# nobody"])("may be empty: %j", (text) => {
    expect(parseEnrollmentFile(text)).toEqual([]);
  });

  test("is refused with all its faults at once, each with its place and none with a key", () => {
    const secret = "c2VjcmV0";
    const faults = faultsOf(`
      enrollments = []
      [[individual]]
      registration_id = "dev."
      attestation = { method = "symmetric_key", primary_key = "${secret}" }
      [[individual]]
      attestation = { method = "password" }
      allocation = "random"
      [[group]]
      name = ""
      attestation = { method = "x509", certificate = "missing.pem", secondary_certificate = "not.pem" }
      hubs = []
    `);
    expect(faults.map((line) => line.split(":")[0])).toEqual([
      "enrollments",
      "individual[0].registration_id",
      "individual[0].attestation.primary_key",
      "individual[1].registration_id",
      "individual[1].attestation.method",
      "individual[1].allocation",
      "group[0].name",
      "group[0].attestation.certificate",
      "group[0].attestation.secondary_certificate",
      "group[0].hubs",
    ]);
    expect(faults.join()).not.toContain(secret);
    expect(faults.find((line) => line.includes("missing") || line.includes("no such file"))).toContain("certificate");
  });

  test("names a callback of this machine where allocation is custom, and latencies that can be", () => {
    const entry = (more: string) => `[[group]]\nname = "g"\nattestation = { method = "symmetric_key" }\n${more}`;
    const placesOf = (more: string) => faultsOf(entry(more)).map((line) => line.split(":")[0]);
    expect(placesOf('allocation = "custom"')).toEqual(["group[0].callback_url"]);
    expect(placesOf('callback_url = "http://example.com/"')).toEqual(["group[0].callback_url"]);
    expect(placesOf("latencies_ms = { hub-a = -1 }")).toEqual(["group[0].latencies_ms"]);
  });

  test("names nobody twice", () => {
    const one = '[[individual]]\nregistration_id = "dev"\nattestation = { method = "symmetric_key" }\n';
    expect(faultsOf(one + one.replace("dev", "DEV"))).toEqual([expect.stringMatching(/^individual\[1\]: .*dev again/)]);
  });

  test.each([
    ['primary_key = "c2VjcmV0', /^line 1, column \d+: not valid TOML$/],
    ['{"primary_key": "c2VjcmV0"', /^expected a JSON object; found something else$/],
  ])("that cannot be read at all says where, and shows nothing of it", (text, expected) => {
    expect(faultsOf(text)).toEqual([expect.stringMatching(expected)]);
  });
});
