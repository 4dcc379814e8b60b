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
 * Makes TLS contexts that trust the system's roots and a bundle. Each identity gets one, which DPS and hub share.
 */
export class TrustedContexts {
  readonly #bundle: string | undefined;
  readonly #ofIdentity = new WeakMap<TlsIdentity, Promise<SecureContext>>();
  #trust: Trust | undefined;
  #anonymous: SecureContext | undefined;

  /** @param bundle PEM text of further CAs; without it Node's own defaults apply unchanged */
  constructor(bundle?: string) {
    this.#bundle = bundle;
  }

  /** The context for `identity`, or for nobody in particular. Rejects with `key.*` errors. */
  async for(identity: TlsIdentity | undefined): Promise<SecureContext> {
    // Only now: finding out what to trust reads every root certificate, about 20 ms that a dialer has better moments for.
    this.#trust ??= trustIn(this.#bundle);
    const { base, further } = this.#trust;
    if (identity === undefined) {
      this.#anonymous ??= trusting(tls.createSecureContext(base), further);
      return this.#anonymous;
    }
    const known = this.#ofIdentity.get(identity);
    if (known !== undefined) return known;
    const context = identity.secureContext(base).then((made) => trusting(made, further));
    this.#ofIdentity.set(identity, context);
    // A key that could not be used now may be usable later: a token plugged in, an MCU that has started.
    context.catch(() => this.forget(identity));
    return context;
  }

  /** The next context for `identity` is made anew. */
  forget(identity: TlsIdentity): void {
    this.#ofIdentity.delete(identity);
  }
}

/** What a context is made with, and the PEM texts that are added to it afterwards. */
interface Trust {
  readonly base: SecureContextOptions;
  readonly further: readonly string[];
}

function trustIn(bundle: string | undefined): Trust {
  // DPS and IoT Hub have turned TLS 1.0 and 1.1 off.
  const base = { minVersion: "TLSv1.2" } as const;
  if (bundle === undefined) return { base, further: [] };
  // A store that something was added to forgets what the environment has added to the default one.
  if (authoritiesOf(tls.createSecureContext())) return { base, further: [...environmentRoots(), bundle] };
  return { base: { ...base, ca: [...defaultRoots(), bundle] }, further: [] };
}

function trusting(context: SecureContext, further: readonly string[]): SecureContext {
  for (const pem of further) authoritiesOf(context)?.addCACert(pem);
  return context;
}

/**
 * The authorities of a context, to add to. A `ca` option replaces the defaults instead, and reading all of them again takes
 * most of a tenth of a second, so this is worth the use of something that Node has without describing it.
 */
function authoritiesOf(context: SecureContext): { addCACert(pem: string): void } | undefined {
  const inner = (context as { readonly context?: { readonly addCACert?: unknown } }).context;
  return typeof inner?.addCACert === "function" ? (inner as { addCACert(pem: string): void }) : undefined;
}

/** What Node trusts by default, for where nothing can be added to it. */
function defaultRoots(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: "default") => string[] };
  return getCACertificates ? getCACertificates("default") : [...tls.rootCertificates, ...environmentRoots()];
}

/** What the environment adds to that. */
function environmentRoots(): readonly string[] {
  const extra = process.env.NODE_EXTRA_CA_CERTS;
  if (extra === undefined || extra === "") return [];
  try {
    return [readFileSync(extra, "utf8")];
  } catch {
    return []; // Node has warned about it on start and goes on without it, too.
  }
}
