import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { CertificateAuthority, deriveDeviceKey } from "../../../../src/emulator/index.ts";
import { EmulatedDps, poll, register } from "../../../support/emulated-dps.ts";

const symmetric = { method: "symmetric_key" } as const;
const unauthorized = { status: 401, body: { errorCode: 401002 } };
const notFound = { status: 404, body: { errorCode: 404201 } };
const assigned = { status: 200, body: { status: "assigned" } };
const key = Buffer.alloc(32, 9).toString("base64");

describe("a symmetric key", () => {
  test("is good as primary and as secondary", async () => {
    const emulated = new EmulatedDps();
    const enrollment = emulated.dps.enroll({ registrationId: "dev", attestation: symmetric });
    for (const each of [enrollment.primaryKey, enrollment.secondaryKey]) {
      expect(await emulated.outcome("dev", { key: each })).toMatchObject(assigned);
    }
  });

  test.each<[string, (it: EmulatedDps, own: string) => object]>([
    ["another key", () => ({ key })],
    ["a token that has expired", (it, own) => ({ password: it.token("dev", own, 0) })],
    ["a token for another device", (it, own) => ({ password: it.token("dev2", own) })],
    ["a token for another id scope", (it, own) => ({ password: it.token("dev", own, 1000, "0ne00FFFFFF") })],
    ["a token under a policy", (it, own) => ({ password: it.token("dev", own).replace("=registration", "=owner") })],
    ["something that is no token", () => ({ password: "secret" })],
    ["nothing", () => ({})],
  ])("is needed: refused with %s", async (_what, options) => {
    const emulated = new EmulatedDps();
    const own = emulated.dps.enroll({ registrationId: "dev", attestation: symmetric }).deviceKey();
    const outcome = await emulated.outcome("dev", options(emulated, own));
    expect(outcome).toMatchObject({
      ...unauthorized,
      body: { message: "Unauthorized", trackingId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
    expect(outcome.body.timestampUtc).toMatch(/\.\d{7}Z$/);
    expect(JSON.stringify(emulated.logged)).not.toContain("sig=");
  });

  test("expires between two polls as well", async () => {
    const emulated = new EmulatedDps();
    const own = emulated.dps.enroll({ registrationId: "dev", attestation: symmetric }).deviceKey();
    await using device = await emulated.connect("dev", { password: emulated.token("dev", own, 1000) });
    const { body } = await register(device);
    await emulated.clock.advance(1000);
    expect(await poll(device, String(body.operationId))).toMatchObject(unauthorized);
  });

  test("of a group lets in whoever derives his own from it, and gives him his id", async () => {
    const emulated = new EmulatedDps();
    const [one, two] = ["one", "two"].map((group) => emulated.dps.enroll({ group, attestation: symmetric }));
    for (const enrollment of [one, two]) {
      const member = `member-of-${enrollment?.id}`;
      const own = deriveDeviceKey(enrollment?.secondaryKey ?? "", member);
      expect(await emulated.outcome(member, { key: own })).toMatchObject({
        body: {
          status: "assigned",
          registrationState: { deviceId: member, symmetricKey: { enrollmentGroupId: enrollment?.id } },
        },
      });
    }
    expect(emulated.hubs.flatMap(({ deviceIds }) => deviceIds).sort()).toEqual(["member-of-one", "member-of-two"]);
  });

  test("of a group is no device's key", async () => {
    const emulated = new EmulatedDps();
    const group = emulated.dps.enroll({ group: "line-1", attestation: symmetric });
    expect(await emulated.outcome("dev", { key: group.primaryKey })).toMatchObject(unauthorized);
    expect(await emulated.outcome("dev", { key: group.deviceKey("other") })).toMatchObject(unauthorized);
    expect(await emulated.outcome("dev", { key: group.deviceKey("dev") })).toMatchObject(assigned);
  });

  test("of nobody finds no registration", async () => {
    const emulated = new EmulatedDps();
    expect(await emulated.outcome("dev", { key })).toMatchObject(notFound);
    emulated.dps.enroll({ registrationId: "other", attestation: symmetric });
    expect(await emulated.outcome("dev", { key })).toMatchObject(notFound);
  });

  test("of an individual enrollment counts before any group", async () => {
    const emulated = new EmulatedDps();
    const group = emulated.dps.enroll({ group: "line-1", attestation: symmetric });
    const individual = emulated.dps.enroll({ registrationId: "dev", attestation: symmetric, disabled: true });
    expect(await emulated.outcome("dev", { key: group.deviceKey("dev") })).toMatchObject(unauthorized);
    expect(await emulated.outcome("dev", { key: individual.deviceKey() })).toMatchObject({
      body: { status: "disabled" },
    });
  });

  test("is no use with another id scope in the user name", async () => {
    const emulated = new EmulatedDps();
    const own = emulated.dps.enroll({ registrationId: "dev", attestation: symmetric }).deviceKey();
    const username = "0ne00FFFFFF/registrations/dev/api-version=2019-03-31";
    const password = emulated.token("dev", own, 1000, "0ne00FFFFFF");
    expect(await emulated.outcome("dev", { username, password })).toMatchObject(unauthorized);
  });
});

describe("a certificate", () => {
  let root: CertificateAuthority;
  let line: CertificateAuthority;
  let leaf: readonly X509Certificate[];
  let chain: readonly X509Certificate[];
  /** The emulated clock stands at the start of 2026. */
  const valid = { notBefore: new Date("2025-12-01"), notAfter: new Date("2026-12-01") };

  const parse = (pem: string): X509Certificate[] =>
    [...pem.matchAll(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g)].map(([each]) => new X509Certificate(each));
  const issue = async (authority: CertificateAuthority, commonName: string, more: object = {}) =>
    parse((await authority.issue({ commonName, usage: "client", ...valid, ...more })).chainPem);
  const x509 = (certificate: string | undefined, more: object = {}) =>
    ({ method: "x509", certificate: certificate ?? "", ...more }) as const;

  beforeAll(async () => {
    root = await CertificateAuthority.create({ commonName: "Factory root", ...valid });
    line = await root.issueAuthority({ commonName: "Line 1", ...valid });
    leaf = await issue(root, "dev");
    chain = await issue(line, "dev");
  });

  test("of an individual enrollment is the device's own, primary or secondary", async () => {
    const emulated = new EmulatedDps();
    const second = await issue(root, "dev");
    const secondaryCertificate = String(second[0]);
    emulated.dps.enroll({ registrationId: "dev", attestation: x509(String(leaf[0]), { secondaryCertificate }) });
    for (const certificates of [leaf, second]) {
      expect(await emulated.outcome("dev", { certificates })).toMatchObject(assigned);
    }
    const third = await issue(root, "dev");
    expect(await emulated.outcome("dev", { certificates: third })).toMatchObject(unauthorized);
    expect(await emulated.outcome("dev")).toMatchObject(unauthorized);
  });

  test("is described in the answer, and known to the hub by its thumbprint", async () => {
    const emulated = new EmulatedDps();
    emulated.dps.enroll({ registrationId: "dev", attestation: x509(String(leaf[0])), hubs: ["hub-a"] });
    const { body } = await emulated.outcome("dev", { certificates: leaf });
    const thumbprint = leaf[0]?.fingerprint256.replaceAll(":", "");
    expect(body.registrationState).toMatchObject({
      x509: {
        certificateInfo: {
          subjectName: "CN=dev",
          issuerName: "CN=Factory root",
          sha1Thumbprint: leaf[0]?.fingerprint.replaceAll(":", ""),
          sha256Thumbprint: thumbprint,
          notBeforeUtc: "2025-12-01T00:00:00.0000000Z",
          notAfterUtc: "2026-12-01T00:00:00.0000000Z",
          serialNumber: leaf[0]?.serialNumber,
          version: 3,
        },
      },
    });
    expect(emulated.hubs[0]?.registry.get("dev")?.authentication).toEqual({ kind: "x509", thumbprints: [thumbprint] });
  });

  test.each<[string, () => Promise<readonly X509Certificate[]> | readonly X509Certificate[], string]>([
    ["an intermediate that the device sends", () => chain, "intermediate"],
    ["the issuer of the leaf, which the device need not send", () => chain.slice(0, 1), "intermediate"],
    ["the root, with the intermediate sent", () => chain, "root"],
    ["the root, with itself sent too", () => [...chain, ...parse(root.certificatePem)], "root"],
  ])("leads to the enrolled authority: %s", async (_what, certificates, enrolled) => {
    const emulated = new EmulatedDps();
    const authority = enrolled === "root" ? root : line;
    emulated.dps.enroll({ group: "factory", attestation: x509(authority.certificatePem) });
    const { body } = await emulated.outcome("dev", { certificates: await certificates() });
    const subjectName = enrolled === "root" ? "CN=Factory root" : "CN=Line 1";
    expect(body).toMatchObject({
      status: "assigned",
      registrationState: {
        deviceId: "dev",
        x509: { enrollmentGroupId: "factory", signingCertificateInfo: { subjectName } },
      },
    });
  });

  test("is refused when the intermediate is missing, or the authority is another of the same name", async () => {
    const emulated = new EmulatedDps();
    emulated.dps.enroll({ group: "factory", attestation: x509(root.certificatePem) });
    const message = "CA certificate not found.";
    expect(await emulated.outcome("dev", { certificates: chain.slice(0, 1) })).toMatchObject({
      ...unauthorized,
      body: { message },
    });
    const impostor = await CertificateAuthority.create({ commonName: "Factory root", ...valid });
    expect(await emulated.outcome("dev", { certificates: await issue(impostor, "dev") })).toMatchObject(unauthorized);
  });

  test("is refused when a link of the chain is not an authority", async () => {
    const emulated = new EmulatedDps();
    emulated.dps.enroll({ group: "factory", attestation: x509(root.certificatePem) });
    // A device's own certificate and key, used to sign another one.
    const device = await root.issue({ commonName: "dev", usage: "client", ...valid });
    const pretender = await CertificateAuthority.restore(device.certificatePem, device.privateKeyPem);
    const certificates = [...(await issue(pretender, "victim")).slice(0, 1), ...parse(device.certificatePem)];
    expect(await emulated.outcome("victim", { certificates })).toMatchObject(unauthorized);
  });

  test.each<[string, (it: CertificateAuthority) => Promise<readonly X509Certificate[]>]>([
    ["leaf has expired", (it) => issue(it, "dev", { notAfter: new Date("2025-12-31") })],
    ["leaf is not valid yet", (it) => issue(it, "dev", { notBefore: new Date("2026-01-02") })],
    [
      "intermediate has expired",
      async (it) => {
        const old = await it.issueAuthority({
          commonName: "Old line",
          notBefore: valid.notBefore,
          notAfter: new Date("2025-12-31"),
        });
        return issue(old, "dev", { notAfter: valid.notAfter });
      },
    ],
  ])("is refused when the %s", async (_what, certificates) => {
    const emulated = new EmulatedDps();
    emulated.dps.enroll({ group: "factory", attestation: x509(root.certificatePem) });
    const outcome = await emulated.outcome("dev", { certificates: await certificates(root) });
    expect(outcome).toMatchObject({ ...unauthorized, body: { message: "Invalid certificate." } });
  });

  test("that has expired is refused where it is enrolled itself", async () => {
    const emulated = new EmulatedDps();
    const certificates = await issue(root, "dev", { notAfter: new Date("2025-12-31") });
    emulated.dps.enroll({ registrationId: "dev", attestation: x509(String(certificates[0])) });
    expect(await emulated.outcome("dev", { certificates })).toMatchObject(unauthorized);
  });

  test("carries the registration id as its common name", async () => {
    const emulated = new EmulatedDps();
    emulated.dps.enroll({ group: "factory", attestation: x509(root.certificatePem) });
    emulated.dps.enroll({ registrationId: "own", attestation: x509(String(leaf[0])) });
    expect(await emulated.outcome("other", { certificates: leaf })).toMatchObject(unauthorized);
    expect(await emulated.outcome("own", { certificates: leaf })).toMatchObject(unauthorized);
    expect(await emulated.outcome("DEV", { certificates: leaf })).toMatchObject(assigned);
  });

  test("belongs to the nearest enrolled authority, even where that one is disabled", async () => {
    const emulated = new EmulatedDps();
    emulated.dps.enroll({ group: "all", attestation: x509(root.certificatePem) });
    const narrow = emulated.dps.enroll({ group: "line", attestation: x509(line.certificatePem), disabled: true });
    expect(await emulated.outcome("dev", { certificates: chain })).toMatchObject({ body: { status: "disabled" } });
    expect(await emulated.outcome("dev", { certificates: leaf })).toMatchObject({
      body: { registrationState: { x509: { enrollmentGroupId: "all" } } },
    });
    narrow.update({ disabled: false });
    expect(await emulated.outcome("dev", { certificates: chain })).toMatchObject({
      body: { registrationState: { x509: { enrollmentGroupId: "line" } } },
    });
  });

  test("of a disabled individual enrollment is not let in by its group", async () => {
    const emulated = new EmulatedDps();
    emulated.dps.enroll({ group: "all", attestation: x509(root.certificatePem) });
    const attestation = x509(String(chain[0]));
    const own = emulated.dps.enroll({ registrationId: "dev", attestation, disabled: true });
    expect(await emulated.outcome("dev", { certificates: chain })).toMatchObject({ body: { status: "disabled" } });
    emulated.dps.unenroll(own);
    expect(await emulated.outcome("dev", { certificates: chain })).toMatchObject(assigned);
  });

  test("finds nothing where no group has an authority, and nothing at all without one", async () => {
    const emulated = new EmulatedDps();
    expect(await emulated.outcome("dev", { certificates: leaf })).toMatchObject(notFound);
    emulated.dps.enroll({ group: "keys", attestation: symmetric });
    expect(await emulated.outcome("dev", { certificates: leaf })).toMatchObject(notFound);
    emulated.dps.enroll({ group: "factory", attestation: x509(root.certificatePem) });
    expect(await emulated.outcome("dev")).toMatchObject(unauthorized);
  });
});

describe("an enrollment", () => {
  test.each<[string, () => object]>([
    ["by an id that is taken", () => ({ registrationId: "DEV", attestation: symmetric })],
    ["by an id that breaks the rules", () => ({ registrationId: "dev.", attestation: symmetric })],
    ["of a group that is there", () => ({ group: "line-1", attestation: symmetric })],
    ["with a key that is none", () => ({ registrationId: "new", attestation: { ...symmetric, primaryKey: "short" } })],
    [
      "with a certificate that is none",
      () => ({ registrationId: "new", attestation: { method: "x509", certificate: "PEM" } }),
    ],
  ])("is refused %s", (_what, options) => {
    const { dps } = new EmulatedDps();
    dps.enroll({ registrationId: "dev", attestation: symmetric });
    dps.enroll({ group: "line-1", attestation: symmetric });
    expect(() => dps.enroll(options() as never)).toThrow(expect.objectContaining({ code: "emulator.rejected" }));
    expect(dps.enrollments).toHaveLength(2);
  });

  test("has the keys that it is given, and no keys where it has certificates", async () => {
    const { dps } = new EmulatedDps();
    const enrollment = dps.enroll({ registrationId: "dev", attestation: { ...symmetric, primaryKey: key } });
    expect(enrollment.deviceKey()).toBe(key);
    expect(enrollment.secondaryKey).not.toBe(key);
    const authority = await CertificateAuthority.create({ commonName: "Root" });
    const group = dps.enroll({ group: "g", attestation: { method: "x509", certificate: authority.certificatePem } });
    expect(() => group.deviceKey("dev")).toThrow(expect.objectContaining({ code: "emulator.rejected" }));
  });
});
