import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { CertificateAuthority } from "../../../../src/emulator/certificate-authority.ts";
import { authenticationOf } from "../../../../src/emulator/hub/add-device.ts";
import { Device, type DeviceAuthentication } from "../../../../src/emulator/hub/device.ts";
import { judgeIdentity } from "../../../../src/emulator/hub/identity-check.ts";
import { seededRandom } from "../../../../src/emulator/randomness.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";

const valid = { notBefore: new Date("2026-01-01"), notAfter: new Date("2026-12-31") };
const nowMs = Date.parse("2026-06-01");
let root: CertificateAuthority;
let pem: string;
let secondPem: string;

beforeAll(async () => {
  root = await CertificateAuthority.create({ commonName: "Root", ...valid });
  pem = (await root.issue({ commonName: "dev", usage: "client", ...valid })).certificatePem;
  secondPem = (await root.issue({ commonName: "dev", usage: "client", ...valid })).certificatePem;
});

function judge(
  authentication: DeviceAuthentication,
  certificate?: string,
  more: { nowMs?: number; deviceId?: string } = {},
) {
  const { deviceId = "dev", ...time } = more;
  const queue = {
    clock: new FakeClock(),
    deviceGenerationId: "1",
    maxDeliveryCount: 10,
    messageTimeToLiveMs: 1,
    onOutcome: () => {},
  };
  const device = new Device({ deviceId, authentication, twin: undefined, disabled: false, queue });
  const certificates = certificate === undefined ? [] : [new X509Certificate(certificate)];
  return judgeIdentity(device, { sasToken: undefined, certificates, hosts: ["hub"], nowMs, ...time });
}

describe("a device with a certificate of its own", () => {
  const own = () =>
    authenticationOf({ method: "x509", certificate: pem, secondaryCertificate: secondPem }, seededRandom(1));

  test("is let in with either of its two, while it is valid", () => {
    expect([judge(own(), pem), judge(own(), secondPem)]).toEqual([{ ok: true }, { ok: true }]);
    expect(judge(own(), pem, { nowMs: Date.parse("2027-01-01") })).toMatchObject({
      ok: false,
      why: expect.stringMatching(/not valid now/),
    });
  });

  test("is refused without one, and with one that is not registered", () => {
    expect(judge(own())).toMatchObject({ ok: false, why: expect.stringMatching(/found none/) });
    expect(judge(own(), root.certificatePem)).toMatchObject({ ok: false, why: expect.stringMatching(/thumbprint/) });
  });

  test("may be registered by the SHA-1 thumbprint too", () => {
    const thumbprint = new X509Certificate(pem).fingerprint.replaceAll(":", "");
    expect(judge({ kind: "x509", thumbprints: [thumbprint] }, pem)).toEqual({ ok: true });
  });
});

describe("a device under an authority", () => {
  const under = (authority = root) =>
    authenticationOf({ method: "x509_ca", certificate: authority.certificatePem }, seededRandom(1));

  test("is let in with a certificate in its name, while all of the chain is valid", () => {
    expect(judge(under(), pem)).toEqual({ ok: true });
    expect(judge(under(), pem, { nowMs: Date.parse("2025-12-31") })).toMatchObject({
      ok: false,
      why: expect.stringMatching(/not-valid-now/),
    });
  });

  test("is refused without one, in another name, and under another authority", async () => {
    const other = await CertificateAuthority.create({ commonName: "Root", ...valid });
    expect(judge(under())).toMatchObject({ ok: false, why: expect.stringMatching(/found none/) });
    expect(judge(under(), pem, { deviceId: "DEV" })).toMatchObject({
      ok: false,
      why: expect.stringMatching(/common name/),
    });
    expect(judge(under(other), pem)).toMatchObject({ ok: false, why: expect.stringMatching(/no authority/) });
  });
});
