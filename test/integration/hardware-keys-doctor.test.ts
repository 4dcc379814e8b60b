import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DoctorReport } from "../../src/doctor/report.ts";
import { Emulator } from "../../src/emulator/index.ts";
import { buildEngine } from "../../src/keys/engine/build-engine.ts";
import { signingPublicKey } from "../../src/keys/tpm/signing-key-area.ts";
import { TpmIdentity } from "../../src/keys/tpm/tpm-identity.ts";
import { networkOf, writeConfiguration } from "../support/emulated-device.ts";
import { makeTpmKey } from "../support/hardware-tpm.ts";
import { landfall } from "../support/landfall-process.ts";
import { OpensslAuthority } from "../support/openssl-authority.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { lacksTokens, SoftToken } from "../support/soft-token.ts";
import { Swtpm } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";
import { tpmAt } from "../support/tpm-at.ts";

describe.skipIf(lacksTokens() || ["swtpm", "cc"].some(lacks))("landfall doctor about hardware", () => {
  const scratch = new ScratchFolder();
  const swtpm = new Swtpm();
  const env = { LANDFALL_ENGINES: scratch.file("engines") };
  let emulator: Emulator;
  let authority: OpensslAuthority;
  let token: SoftToken;

  /** Certified public halves by the name of the device, PEM. */
  const publicKeys: Record<string, string> = {};

  beforeAll(async () => {
    await buildEngine({ folder: env.LANDFALL_ENGINES });
    token = await SoftToken.create(scratch, "device");
    authority = await OpensslAuthority.create(scratch, "Factory");
    emulator = await Emulator.start({ assigningPolls: 0 });
    emulator.dps.enroll({ group: "factory", attestation: { method: "x509", certificate: authority.certificatePem } });
    publicKeys["in-token"] = await token.makeKey("key", "ec");
    const { publicArea } = await makeTpmKey(swtpm, { handle: 0x81010010 });
    publicKeys["in-tpm"] = signingPublicKey(publicArea, "it").export({ type: "spki", format: "pem" }).toString();
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    publicKeys.stranger = createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString();
    await using identity = new TpmIdentity({ tpm: tpmAt(swtpm.location) });
    const endorsementKey = (await identity.rootKeys()).endorsementKey.toString("base64");
    emulator.dps.enroll({ registrationId: "tpm-device", attestation: { method: "tpm", endorsementKey } });
  });
  afterAll(() => emulator.close());

  async function examine(name: string, provisioning: object, args: readonly string[] = []): Promise<DoctorReport> {
    const file = await writeConfiguration(scratch, name, {
      provisioning: { source: "dps", id_scope: emulator.ready.idScope, ...provisioning },
      network: networkOf(emulator),
    });
    const { out, err } = await landfall(["doctor", "-c", file, "--json", ...args], { env });
    expect(out + err).not.toContain(token.pin);
    return JSON.parse(out) as DoctorReport;
  }
  const checkOf = ({ checks }: DoctorReport, id: string) => checks.find((check) => check.id === id);

  const keys = {
    "in-token": () => ({ identity_pk: token.uri("key"), identity_pk_password: { value: token.pin } }),
    "in-tpm": () => ({ identity_pk: `tpm:handle=0x81010010;at=${swtpm.location}` }),
  };

  async function x509(name: keyof typeof keys, certified = name as string): Promise<object> {
    const certificate = await authority.certify(publicKeys[certified] ?? "", name);
    const identity_cert = await scratch.write(`${name}-${certified}.pem`, certificate);
    return { attestation: { method: "x509", identity_cert, ...keys[name]() } };
  }

  test.each(["in-token", "in-tpm"] as const)("finds a key (%s) in order, and DPS lets it in", async (name) => {
    const report = await examine(name, await x509(name));
    expect(checkOf(report, "credential.readable")).toMatchObject({ status: "ok", summary: "ec key, ready" });
    expect(checkOf(report, "credential.key-match")).toMatchObject({ status: "ok" });
    // Not 401: the certificate was taken, and nobody has registered with it.
    expect(checkOf(report, "dps.authentication")).toMatchObject({ data: { outcome: "not-registered", status: 404 } });
    expect(emulator.events.of("dps.look-up").at(-1)).toMatchObject({ registrationId: name, credential: "certificate" });
  });

  test.each([
    ["in-token", "credential-unreadable"],
    ["in-tpm", "credential-mismatch"],
  ] as const)("tells that a key (%s) is not that of the certificate", async (name, id) => {
    const report = await examine(`${name}-stranger`, await x509(name, "stranger"), ["--only", "credential"]);
    const text = expect.stringContaining("does not belong to the first certificate");
    expect(report).toMatchObject({ exitCode: 2, diagnosis: { id, confidence: "certain", text } });
  });

  test("finds a TPM in order, whose worth only a registration shows", async () => {
    const attestation = { method: "tpm", registration_id: "tpm-device", tpm: swtpm.location };
    const report = await examine("tpm-device", { transport: "https", attestation });
    expect(checkOf(report, "credential.readable")).toMatchObject({ status: "ok", summary: "TPM, ready" });
    expect(checkOf(report, "dps.authentication")).toMatchObject({
      status: "skipped",
      because: "not-applicable",
      summary: expect.stringContaining("only while it registers"),
    });
    expect(await swtpm.leftovers()).toBe("");
  });

  test("tells that the TPM is not there", async () => {
    const attestation = { method: "tpm", registration_id: "tpm-device", tpm: "swtpm:/nowhere" };
    const report = await examine("no-tpm", { transport: "https", attestation }, ["--only", "credential.readable"]);
    const text = expect.stringContaining("The TPM at swtpm:/nowhere cannot be reached");
    expect(report).toMatchObject({ exitCode: 2, diagnosis: { id: "credential-unreadable", text } });
  });
});
