import "reflect-metadata"; // x509 below finds its parts through it, so it has to be loaded first
import { createPrivateKey, createPublicKey, KeyObject, type webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";
import { LandfallError } from "../errors.ts";

/** `ec` is P-256 with ECDSA and SHA-256; `rsa` is RSA 2048 with PKCS#1 v1.5 signatures and SHA-256. */
export type KeyType = "ec" | "rsa";

/** From when until when a certificate is valid. */
export interface Validity {
  /** Default: one day ago, so that a machine whose clock is a little behind accepts it. */
  readonly notBefore?: Date;
  /** Default: ten years from now for an authority; for any other certificate one year, or less if its issuer ends before. */
  readonly notAfter?: Date;
}

/** What {@link CertificateAuthority.create} and {@link CertificateAuthority.issueAuthority} take. */
export interface AuthorityRequest extends Validity {
  readonly commonName: string;
  /** Default `ec`. */
  readonly keyType?: KeyType;
}

/** What {@link CertificateAuthority.issue} takes. */
export interface CertificateRequest extends Validity {
  /** For a device that registers at DPS: its registration id. */
  readonly commonName: string;
  /** Default `ec`; an `rsa` key takes a noticeable part of a second to make. */
  readonly keyType?: KeyType;
  /** DNS names and IP addresses a server is verified by. Default: the common name for a server, none for a client. */
  readonly dnsNames?: readonly string[];
  readonly usage: "client" | "server";
}

/** A certificate with its new key; all three are PEM. */
export interface IssuedCertificate {
  /** The leaf alone. */
  readonly certificatePem: string;
  /** PKCS#8, not encrypted. */
  readonly privateKeyPem: string;
  /** The leaf, then every intermediate up to the root, without the root: what a TLS peer has to send. */
  readonly chainPem: string;
}

const dayMs = 86_400_000;

/**
 * A certificate authority in memory, for tests and for the emulator.
 *
 * ```ts
 * const root = await CertificateAuthority.create({ commonName: "Factory root" });
 * const line1 = await root.issueAuthority({ commonName: "Line 1" });
 * const { chainPem, privateKeyPem } = await line1.issue({ commonName: "sensor-17", usage: "client" });
 * ```
 *
 * Dates are written as given, also past ones: an expired certificate is a thing to test with.
 */
export class CertificateAuthority {
  /** The authority's own certificate, PEM. */
  readonly certificatePem: string;
  /** This authority's certificate and those above it, without the root; PEM. Empty for a root. */
  readonly #intermediatesPem: string;
  readonly #certificate: x509.X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair, issuersPem: string) {
    this.#certificate = certificate;
    this.#keys = keys;
    this.certificatePem = pem(certificate);
    this.#intermediatesPem = issuersPem;
  }

  /** Makes a root: a new key and a certificate signed by itself. */
  static async create(request: AuthorityRequest): Promise<CertificateAuthority> {
    const keys = await generateKeys(request.keyType);
    const certificate = await x509.X509CertificateGenerator.create({
      ...period(request, 10 * 365),
      subject: nameOf(request.commonName),
      issuer: nameOf(request.commonName),
      publicKey: keys.publicKey,
      signingKey: keys.privateKey,
      extensions: await authorityExtensions(keys.publicKey, keys.publicKey),
    });
    return new CertificateAuthority(certificate, keys, "");
  }

  /**
   * Takes up a root that was made before, so that whoever trusts it goes on trusting it. Rejects with
   * `certificate.unusable`, `key.unusable` or, when the two do not belong together, `certificate.key-mismatch`.
   */
  static async restore(certificatePem: string, privateKeyPem: string): Promise<CertificateAuthority> {
    const certificate = parse(
      "certificate.unusable",
      "the authority's certificate",
      () => new x509.X509Certificate(certificatePem),
    );
    const key = parse("key.unusable", "the authority's private key", () => createPrivateKey(privateKeyPem));
    const algorithm = algorithms[key.asymmetricKeyType === "rsa" ? "rsa" : "ec"];
    const pkcs8 = key.export({ type: "pkcs8", format: "der" });
    const spki = createPublicKey(key).export({ type: "spki", format: "der" });
    if (!spki.equals(new Uint8Array(certificate.publicKey.rawData))) {
      throw new LandfallError(
        "certificate.key-mismatch",
        "The private key is not that of the authority's certificate.",
      );
    }
    const keys = {
      privateKey: await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, true, ["sign"]),
      publicKey: await crypto.subtle.importKey("spki", spki, algorithm, true, ["verify"]),
    };
    return new CertificateAuthority(certificate, keys, "");
  }

  /** The authority's private key, PKCS#8 PEM, not encrypted; for {@link restore}. */
  get privateKeyPem(): string {
    return KeyObject.from(this.#keys.privateKey).export({ type: "pkcs8", format: "pem" }).toString();
  }

  /** Makes an intermediate authority under this one; the chains it issues include its own certificate. */
  async issueAuthority(request: AuthorityRequest): Promise<CertificateAuthority> {
    const keys = await generateKeys(request.keyType);
    const extensions = await authorityExtensions(keys.publicKey, this.#keys.publicKey);
    const certificate = await this.#sign(request.commonName, keys, period(request, 10 * 365), extensions);
    return new CertificateAuthority(certificate, keys, pem(certificate) + this.#intermediatesPem);
  }

  /** Makes a key and a certificate for a device (`usage: "client"`) or a service (`usage: "server"`). */
  async issue(request: CertificateRequest): Promise<IssuedCertificate> {
    const keys = await generateKeys(request.keyType);
    const validity = period(request, 365, this.#certificate.notAfter);
    const extensions = await leafExtensions(request, keys.publicKey, this.#keys.publicKey);
    const certificatePem = pem(await this.#sign(request.commonName, keys, validity, extensions));
    return {
      certificatePem,
      privateKeyPem: KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" }).toString(),
      chainPem: certificatePem + this.#intermediatesPem,
    };
  }

  /**
   * Answers a PKCS#10 request, PEM, of a device whose private key stays where it is: a client certificate with the
   * request's common name and public key. Returns it with its intermediates, leaf first, PEM.
   *
   * Rejects with `certificate.unusable` for what is no request with a common name, and with `certificate.key-mismatch`
   * when whoever asks does not show, by the request's signature, that he has the key.
   */
  async answer(requestPem: string, validity: Validity = {}): Promise<string> {
    const { request, commonName } = parse("certificate.unusable", "a certificate request with a common name", () => {
      const request = new x509.Pkcs10CertificateRequest(requestPem);
      return { request, commonName: named(request) };
    });
    const { publicKey } = request;
    if (!(await request.verify().catch(() => false))) {
      throw new LandfallError("certificate.key-mismatch", "The request is not signed by the key that it is for.");
    }
    const keyType = publicKey.algorithm.name === algorithms.rsa.name ? "rsa" : "ec";
    const about = { commonName, keyType, usage: "client" } as const;
    const extensions = await leafExtensions(about, publicKey, this.#keys.publicKey);
    const dates = period(validity, 365, this.#certificate.notAfter);
    return pem(await this.#sign(commonName, { publicKey }, dates, extensions)) + this.#intermediatesPem;
  }

  #sign(
    commonName: string,
    { publicKey }: { readonly publicKey: x509.PublicKeyType },
    validity: Required<Validity>,
    extensions: x509.Extension[],
  ): Promise<x509.X509Certificate> {
    return x509.X509CertificateGenerator.create({
      ...validity,
      subject: nameOf(commonName),
      // The issuer's name is compared byte by byte, so it is taken over rather than written again.
      issuer: this.#certificate.subjectName,
      publicKey,
      signingKey: this.#keys.privateKey,
      extensions,
    });
  }
}

const algorithms = {
  ec: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  rsa: {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-256",
  },
} as const;

function generateKeys(keyType: KeyType = "ec"): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithms[keyType], true, ["sign", "verify"]);
}

/** With its type spelled out, so that a comma, a quote or a hash mark in a name is only a character. */
function nameOf(commonName: string): x509.Name {
  return new x509.Name([{ CN: [{ utf8String: commonName }] }]);
}

function period({ notBefore, notAfter }: Validity, days: number, issuerEnds?: Date): Required<Validity> {
  const ends = new Date(Date.now() + days * dayMs);
  return {
    notBefore: notBefore ?? new Date(Date.now() - dayMs),
    notAfter: notAfter ?? (issuerEnds !== undefined && issuerEnds < ends ? issuerEnds : ends),
  };
}

async function authorityExtensions(
  subjectKey: webcrypto.CryptoKey,
  issuerKey: webcrypto.CryptoKey,
): Promise<x509.Extension[]> {
  return [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ...(await keyIdentifiers(subjectKey, issuerKey)),
  ];
}

async function leafExtensions(
  { commonName, dnsNames, keyType, usage }: CertificateRequest,
  subjectKey: x509.PublicKeyType,
  issuerKey: webcrypto.CryptoKey,
): Promise<x509.Extension[]> {
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  const names = dnsNames ?? (usage === "server" ? [commonName] : []);
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(keyType === "rsa" ? digitalSignature | keyEncipherment : digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[usage === "server" ? "serverAuth" : "clientAuth"]]),
    ...(await keyIdentifiers(subjectKey, issuerKey)),
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names.map(alternativeName))]),
  ];
}

function alternativeName(value: string): x509.JsonGeneralName {
  return { type: isIP(value) === 0 ? "dns" : "ip", value };
}

async function keyIdentifiers(
  subjectKey: x509.PublicKeyType,
  issuerKey: webcrypto.CryptoKey,
): Promise<x509.Extension[]> {
  return [
    await x509.SubjectKeyIdentifierExtension.create(subjectKey),
    await x509.AuthorityKeyIdentifierExtension.create(issuerKey),
  ];
}

function parse<T>(code: "certificate.unusable" | "key.unusable", what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new LandfallError(code, `Expected ${what} as PEM; found something else.`, { cause });
  }
}

/** The common name of a request. Throws when it has none. */
function named(request: x509.Pkcs10CertificateRequest): string {
  const [commonName] = request.subjectName.getField("CN");
  if (!commonName) throw new TypeError("the request has no common name");
  return commonName;
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString("pem").trim()}\n`;
}
