import { createPrivateKey, type KeyObject } from "node:crypto";
import { once } from "node:events";
import tls, { createSecureContext, type SecureContextOptions } from "node:tls";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { CertificateAuthority, type IssuedCertificate } from "../../../src/emulator/certificate-authority.ts";
import { LandfallError } from "../../../src/errors.ts";
import { parseCertificateChain } from "../../../src/keys/certificate-chain.ts";
import { CertificateIdentity } from "../../../src/keys/certificate-identity.ts";
import { MemoryTlsKey } from "../../../src/keys/memory-tls-key.ts";
import type { TlsKey } from "../../../src/keys/tls-key.ts";
import { startTlsPeer, testAuthority } from "../../support/tls-peer.ts";

const clock = systemClock;
let root: CertificateAuthority;
let line: CertificateAuthority;
let device: IssuedCertificate;
let rsaDevice: IssuedCertificate;

beforeAll(async () => {
  root = await CertificateAuthority.create({ commonName: "Factory root" });
  line = await root.issueAuthority({ commonName: "Line" });
  device = await line.issue({ commonName: "sensor-17", usage: "client" });
  rsaDevice = await line.issue({ commonName: "sensor-18", usage: "client", keyType: "rsa" });
});

const keyFrom = (pem: string): TlsKey => new MemoryTlsKey(createPrivateKey(pem), "device.key");

function identityOf(
  { chainPem, privateKeyPem }: Pick<IssuedCertificate, "chainPem" | "privateKeyPem">,
  key = keyFrom(privateKeyPem),
): CertificateIdentity {
  const chain = parseCertificateChain(chainPem, "device.pem");
  return new CertificateIdentity({ chain, certificateLocation: "device.pem", key, clock });
}

describe("a certificate and a key", () => {
  test("that belong together make an identity", () => {
    const identity = identityOf(device);
    expect(identity.certificateChain).toBe(device.chainPem);
    expect(identity.commonNames).toEqual(["sensor-17"]);
    expect(identity.warnings).toEqual([]);
  });

  test.each([
    ["of the same kind", () => line.issue({ commonName: "other", usage: "client" })],
    ["of different kinds", async () => rsaDevice],
  ])("%s that do not belong together are refused, by the names of both files", async (_, other) => {
    const { privateKeyPem } = await other();
    expect(() => identityOf({ ...device, privateKeyPem })).toThrow(
      expect.objectContaining({
        code: "certificate.key-mismatch",
        message: expect.stringMatching(/device\.key.*device\.pem/),
      }),
    );
  });

  test("are refused when the leaf is not first, and the message tells which one it is", () => {
    const chainPem = line.certificatePem + device.certificatePem;
    expect(() => identityOf({ ...device, chainPem })).toThrow(
      expect.objectContaining({
        code: "certificate.key-mismatch",
        message: expect.stringContaining("belongs to certificate 2"),
      }),
    );
  });

  test("with a gap in the chain are warned about", async () => {
    const { certificatePem } = await root.issueAuthority({ commonName: "Another line" });
    const { warnings } = identityOf({ ...device, chainPem: device.certificatePem + certificatePem });
    expect(warnings).toEqual([expect.stringContaining("certificate 1 was not issued by certificate 2")]);
  });

  test("that expired are refused", async () => {
    const expired = await line.issue({
      commonName: "old",
      usage: "client",
      notAfter: new Date(Date.now() - 3_600_000),
    });
    expect(() => identityOf(expired)).toThrow(expect.objectContaining({ code: "certificate.not-valid-now" }));
  });
});

describe("an identity in a TLS handshake", () => {
  const opened: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
  });

  const refused = (): never => {
    throw new Error("the server closed the connection");
  };

  /** Whom a server that trusts only the factory's root takes the client for. */
  async function nameSeenByServer(identity: CertificateIdentity, versions: SecureContextOptions): Promise<string> {
    const peer = await startTlsPeer((socket) => socket.end(String(socket.getPeerCertificate().subject.CN)), {
      clientCa: root.certificatePem,
    });
    opened.push(peer);
    const secureContext = await identity.secureContext({ ca: (await testAuthority()).certificatePem, ...versions });
    const client = tls.connect({ host: "127.0.0.1", port: peer.port, servername: "peer.test", secureContext });
    const [name] = await Promise.race([once(client, "data"), once(client, "close").then(refused)]);
    client.destroy();
    return String(name);
  }

  test.each(["TLSv1.2", "TLSv1.3"] as const)("proves itself with an EC key (%s)", async (version) => {
    const versions = { minVersion: version, maxVersion: version };
    expect(await nameSeenByServer(identityOf(device), versions)).toBe("sensor-17");
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("proves itself with an RSA key (%s)", async (version) => {
    const versions = { minVersion: version, maxVersion: version };
    expect(await nameSeenByServer(identityOf(rsaDevice), versions)).toBe("sensor-18");
  });

  test("is refused by that server without its intermediates, which therefore are sent above", async () => {
    const chainPem = device.certificatePem;
    await expect(nameSeenByServer(identityOf({ ...device, chainPem }), {})).rejects.toThrow();
  });

  test("leaves the caller's options as they are", async () => {
    const base = Object.freeze({ minVersion: "TLSv1.2" } as const);
    await identityOf(device).secureContext(base);
    expect(base).toEqual({ minVersion: "TLSv1.2" });
  });
});

/** A key that is not in this process: it gets the certificate, and makes the context in its own way. */
class RemoteKey implements TlsKey {
  readonly location = "token:line-1";
  readonly publicKey: KeyObject;
  readonly asked: SecureContextOptions[] = [];
  closed = 0;
  #failure: Error | undefined;

  constructor(publicKey: KeyObject, failure?: Error) {
    this.publicKey = publicKey;
    this.#failure = failure;
  }

  async secureContext(base: SecureContextOptions) {
    this.asked.push(base);
    if (this.#failure) throw this.#failure;
    return createSecureContext({ cert: base.cert });
  }

  async close(): Promise<void> {
    this.closed++;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

describe("a key elsewhere", () => {
  test("is handed the chain and the caller's options, and is closed with the identity", async () => {
    const key = new RemoteKey(keyFrom(device.privateKeyPem).publicKey);
    {
      await using identity = identityOf(device, key);
      await identity.secureContext({ ca: "roots" });
    }
    expect(key.asked).toEqual([{ ca: "roots", cert: device.chainPem }]);
    expect(key.closed).toBe(1);
  });

  test("keeps its own error", async () => {
    const failure = new LandfallError("key.wrong-password", "The PIN is wrong.");
    const identity = identityOf(device, new RemoteKey(keyFrom(device.privateKeyPem).publicKey, failure));
    await expect(identity.secureContext({})).rejects.toBe(failure);
  });

  test("that fails in a foreign way is named", async () => {
    const failure = new Error("engine not found");
    const identity = identityOf(device, new RemoteKey(keyFrom(device.privateKeyPem).publicKey, failure));
    await expect(identity.secureContext({})).rejects.toMatchObject({
      code: "key.unusable",
      message: expect.stringContaining("token:line-1"),
      cause: failure,
    });
  });

  test("cannot be given away", () => {
    const identity = identityOf(device, new RemoteKey(keyFrom(device.privateKeyPem).publicKey));
    expect(() => identity.exportKey()).toThrow(
      expect.objectContaining({ code: "key.not-exportable", message: expect.stringContaining("token:line-1") }),
    );
  });
});

describe("a key in memory", () => {
  test("can be given away until it is closed", async () => {
    const identity = identityOf(device);
    const exported = createPrivateKey(identity.exportKey().reveal());
    expect(exported.equals(createPrivateKey(device.privateKeyPem))).toBe(true);
    await identity.close();
    expect(() => identity.exportKey()).toThrow(expect.objectContaining({ code: "key.unusable" }));
  });
});
