import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { CertificateAuthority } from "../../../../src/emulator/index.ts";
import { readMcuCertificates } from "../../../../src/keys/mcu/mcu-certificates.ts";
import { McuDigestSigner } from "../../../../src/keys/mcu/mcu-digest-signer.ts";
import { SmpLink } from "../../../../src/serial/smp-link.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import { rsaAuthority } from "../../../support/rsa-authority.ts";
import { ScriptedMcu } from "../../../support/scripted-mcu.ts";

const root = await CertificateAuthority.create({ commonName: "Factory root" });
const line = await root.issueAuthority({ commonName: "Line 1" });
const { chainPem } = await line.issue({ commonName: "press-7", usage: "client" });
const pems = chainPem.match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
const chain = Buffer.concat(pems.map((pem) => new X509Certificate(pem).raw));

/** An MCU with these certificates, which hands them out in small pieces. */
async function holding(bytes: Uint8Array) {
  const mcu = new ScriptedMcu().on("70/2", ({ body }) => {
    const off = Number(body.off);
    return { off, len: bytes.length, data: bytes.subarray(off, off + 200) };
  });
  return { mcu, link: await SmpLink.start({ port: mcu.port, clock: new FakeClock(), random: () => 0.5 }) };
}

describe("the certificates of an MCU", () => {
  test("are its own and those above it", async () => {
    const { link } = await holding(chain);
    await using _ = link;
    const opened = await readMcuCertificates(link);
    expect(opened.chain.map(({ subject }) => subject)).toEqual(["CN=press-7", "CN=Line 1"]);
    expect(opened.location).toBe("mcu:");
  });

  test.each([
    ["nothing", new Uint8Array()],
    ["something else", Buffer.from("no certificate")],
    ["half a certificate", chain.subarray(0, 100)],
    ["more than certificates", Buffer.concat([chain, Buffer.of(1)])],
  ])("are refused when it has %s", async (_, bytes) => {
    const { link } = await holding(bytes);
    await using _link = link;
    await expect(readMcuCertificates(link)).rejects.toMatchObject({ code: "certificate.unusable" });
  });
});

describe("the key of an MCU", () => {
  test("has the public half of its certificate, and signs in the MCU", async () => {
    const { mcu, link } = await holding(chain);
    const signature = Uint8Array.from({ length: 70 }, () => 7);
    mcu.on("70/3", () => ({ sig: signature }));
    await using signer = await McuDigestSigner.open(link);
    expect(signer.publicKey.equals(new X509Certificate(pems[0] ?? "").publicKey)).toBe(true);
    expect(Buffer.from(await signer.sign(new Uint8Array(32))).equals(signature)).toBe(true);
    expect(mcu.bodies("70/3").map(({ hash }) => hash)).toHaveLength(1);
  });

  test("keeps TLS waiting for nobody who is away", async () => {
    const { mcu, link } = await holding(chain);
    await using signer = await McuDigestSigner.open(link);
    mcu.port.unplug();
    await new Promise((resolve) => link.once("down", resolve));
    await expect(signer.sign(new Uint8Array(32))).rejects.toMatchObject({ code: "serial.unplugged" });
  });

  test("is refused when it is an RSA key", async () => {
    const { certificatePem } = await rsaAuthority();
    const { link } = await holding(new X509Certificate(certificatePem).raw);
    await using _ = link;
    await expect(McuDigestSigner.open(link)).rejects.toMatchObject({ code: "key.unusable" });
  });
});
