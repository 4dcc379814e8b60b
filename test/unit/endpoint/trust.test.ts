import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CertificateAuthority } from "../../../src/emulator/certificate-authority.ts";
import { readTrustBundle, TrustedContexts } from "../../../src/endpoint/trust.ts";
import type { TlsIdentity } from "../../../src/tls-identity.ts";
import { startTlsPeer, testAuthority } from "../../support/tls-peer.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "landfall-trust-"));
});
afterAll(() => rm(directory, { recursive: true }));

async function bundle(text: string): Promise<string> {
  const file = join(directory, "ca.pem");
  await writeFile(file, text);
  return file;
}

describe("a trust bundle", () => {
  test("is every certificate of the file, and nothing else that stands there", async () => {
    const { certificatePem } = await testAuthority();
    const pem = await readTrustBundle(await bundle(`# our root\n${certificatePem}\nand again\n${certificatePem}`));
    expect(pem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(pem).not.toContain("our root");
  });

  test("that cannot be read is said to be that", async () => {
    await expect(readTrustBundle(join(directory, "absent.pem"))).rejects.toThrowError(
      expect.objectContaining({ code: "config.secret-unreadable", cause: expect.objectContaining({ code: "ENOENT" }) }),
    );
  });

  test("that holds no certificate is refused", async () => {
    await expect(readTrustBundle(await bundle("-----BEGIN PUBLIC KEY-----\n"))).rejects.toThrowError(
      expect.objectContaining({ code: "certificate.unusable" }),
    );
  });

  test("that holds a broken certificate is refused, with its place", async () => {
    const { certificatePem } = await testAuthority();
    const file = await bundle(`${certificatePem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`);
    await expect(readTrustBundle(file)).rejects.toThrowError(
      expect.objectContaining({ code: "certificate.unusable", message: expect.stringContaining("certificate 2 ") }),
    );
  });
});

describe("a TLS context", () => {
  /** Whether a connection with `secureContext` to a peer that `issuer` vouches for comes about. */
  async function trusts(secureContext: tls.SecureContext, issuer: CertificateAuthority): Promise<boolean> {
    await using peer = await startTlsPeer(() => {}, { issuer });
    const socket = tls.connect({ host: "127.0.0.1", port: peer.port, servername: "peer.test", secureContext });
    const outcome = await Promise.race([
      once(socket, "secureConnect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    return outcome;
  }

  test("trusts the bundle, what the environment adds, and nobody else; with an identity as without", async () => {
    const names = ["Bundle", "Environment", "Stranger"];
    const [ours, theirs, stranger] = await Promise.all(
      names.map((commonName) => CertificateAuthority.create({ commonName })),
    );
    if (!ours || !theirs || !stranger) throw new Error("three were made");
    vi.stubEnv("NODE_EXTRA_CA_CERTS", await bundle(theirs.certificatePem));
    try {
      const contexts = new TrustedContexts(ours.certificatePem);
      const { chainPem: cert, privateKeyPem: key } = await ours.issue({ commonName: "sensor-17", usage: "client" });
      const identity: TlsIdentity = {
        certificateChain: cert,
        secureContext: async (base) => tls.createSecureContext({ ...base, cert, key }),
      };
      for (const context of [await contexts.for(undefined), await contexts.for(identity)]) {
        const verdicts = await Promise.all([ours, theirs, stranger].map((issuer) => trusts(context, issuer)));
        expect(verdicts).toEqual([true, true, false]);
      }
    } finally {
      vi.unstubAllEnvs();
    }
  });
});
