import type { PeerCertificate } from "node:tls";
import { describeCause, type ErrorCode, isLandfallError, LandfallError } from "../errors.ts";

const unresolved = new Set(["ENOTFOUND", "EAI_AGAIN", "EAI_NODATA", "EAI_NONAME", "ENODATA", "ESERVFAIL", "ETIMEOUT"]);

/** The error for a name that could not be resolved. An error that has a code of ours already stays as it is. */
export function lookupError(host: string, cause: unknown): Error {
  if (isLandfallError(cause)) return cause;
  const code = unresolved.has(errnoOf(cause)) ? "endpoint.name-not-found" : "endpoint.connect-failed";
  return new LandfallError(code, `could not resolve ${host}: ${describeCause(cause)}`, { cause });
}

/** The error for a TCP connection that could not be made. */
export function tcpError(address: string, port: number, cause: unknown): LandfallError {
  const code: ErrorCode = errnoOf(cause) === "ETIMEDOUT" ? "endpoint.connect-timeout" : "endpoint.connect-failed";
  return new LandfallError(code, `could not connect to ${shown(address, port)}: ${describeCause(cause)}`, { cause });
}

/**
 * The error for a TLS handshake that failed.
 * @param verification what certificate verification found wrong; absent when the handshake broke for another reason
 */
export function tlsError(
  host: string,
  cause: unknown,
  verification?: { readonly certificate: PeerCertificate | undefined },
): LandfallError {
  if (!verification) {
    return new LandfallError("endpoint.tls-failed", `TLS with ${host} failed: ${describeCause(cause)}`, { cause });
  }
  const { certificate } = verification;
  const presented = certificate
    ? `a certificate for ${nameIn(certificate.subject)} issued by ${nameIn(certificate.issuer)}`
    : "a certificate";
  const message = `${host} presented ${presented}, which is not trusted: ${describeCause(cause)}`;
  return new LandfallError("endpoint.tls-untrusted", message, { cause });
}

/** Furthest first: what came furthest tells most about what is wrong. */
const progress: readonly ErrorCode[] = [
  "endpoint.tls-untrusted",
  "endpoint.tls-failed",
  "endpoint.proxy-failed",
  "endpoint.connect-failed",
  "endpoint.connect-timeout",
];

/** One error for all the addresses that were tried. */
export function allFailed(host: string, failures: readonly LandfallError[]): LandfallError {
  const [only] = failures;
  if (only !== undefined && failures.length === 1) return only;
  const code = progress.find((each) => failures.some((failure) => failure.code === each)) ?? "endpoint.connect-failed";
  return new LandfallError(code, `none of the ${failures.length} addresses of ${host} could be reached`, {
    cause: new AggregateError(failures),
    details: failures.map(({ message }) => message),
  });
}

/** `address:port`, with brackets around IPv6. */
export function shown(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function errnoOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException | undefined)?.code ?? "");
}

function nameIn(name: PeerCertificate["subject"] | undefined): string {
  const { CN, O } = (name ?? {}) as { readonly CN?: string | string[]; readonly O?: string | string[] };
  return JSON.stringify([CN ?? O ?? "an unnamed subject"].flat().join(", "));
}
