import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import tls, { type SecureContext, type SecureContextOptions } from "node:tls";
import { LandfallError } from "../errors.ts";
import type { TlsIdentity } from "../tls-identity.ts";

/**
 * Reads a file of CA certificates (PEM) that shall be trusted beside the system's.
 * Rejects with `config.secret-unreadable` when it cannot be read, with `certificate.unusable` when it holds no certificate
 * or one that cannot be parsed.
 */
export async function readTrustBundle(file: string): Promise<string> {
  let pem: string;
  try {
    pem = await readFile(file, "utf8");
  } catch (cause) {
    throw new LandfallError("config.secret-unreadable", `the trust bundle ${file} cannot be read`, { cause });
  }
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) {
    throw new LandfallError("certificate.unusable", `the trust bundle ${file} holds no PEM certificate`);
  }
  for (const [index, certificate] of certificates.entries()) {
    try {
      new X509Certificate(certificate);
    } catch (cause) {
      const message = `certificate ${index + 1} of the trust bundle ${file} cannot be parsed`;
      throw new LandfallError("certificate.unusable", message, { cause });
    }
  }
  return `${certificates.join("\n")}\n`;
}

/**
 * Makes TLS contexts that trust the system's roots and a bundle. A context takes tens of milliseconds when the roots must
 * be parsed again, so each identity gets one, which DPS and hub share.
 */
export class TrustedContexts {
  readonly #base: SecureContextOptions;
  readonly #ofIdentity = new WeakMap<TlsIdentity, Promise<SecureContext>>();
  #anonymous: SecureContext | undefined;

  /** @param bundle PEM text of further CAs; without it Node's own defaults apply unchanged */
  constructor(bundle?: string) {
    // DPS and IoT Hub have turned TLS 1.0 and 1.1 off.
    this.#base = { minVersion: "TLSv1.2", ...(bundle === undefined ? {} : { ca: [...defaultRoots(), bundle] }) };
  }

  /** The context for `identity`, or for nobody in particular. Rejects with `key.*` errors. */
  async for(identity: TlsIdentity | undefined): Promise<SecureContext> {
    if (identity === undefined) {
      this.#anonymous ??= tls.createSecureContext(this.#base);
      return this.#anonymous;
    }
    const known = this.#ofIdentity.get(identity);
    if (known !== undefined) return known;
    const context = identity.secureContext(this.#base);
    this.#ofIdentity.set(identity, context);
    // A key that could not be used now may be usable later: a token plugged in, an MCU that has started.
    context.catch(() => this.#ofIdentity.delete(identity));
    return context;
  }
}

/** What Node trusts by default: a `ca` option replaces these, so they have to be repeated beside it. */
function defaultRoots(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: "default") => string[] };
  if (getCACertificates) return getCACertificates("default");
  const extra = process.env.NODE_EXTRA_CA_CERTS;
  if (extra === undefined || extra === "") return tls.rootCertificates;
  try {
    return [...tls.rootCertificates, readFileSync(extra, "utf8")];
  } catch {
    return tls.rootCertificates; // Node has warned about it on start and goes on without it, too.
  }
}
