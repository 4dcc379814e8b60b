import { describeCause, type ErrorCode, isLandfallError, LandfallError } from "../../errors.ts";
import { connackRefusal } from "../mqtt/refusal.ts";

/** What CONNACK refusals are called in the messages of the library's MQTT client, which sometimes is all that is left of them. */
const refusals: readonly (readonly [RegExp, number])[] = [
  [/Unacceptable protocol version/, 1],
  [/Identifier rejected/, 2],
  [/Server unavailable/, 3],
  [/Bad username or password/, 4],
  [/Not authorized/, 5],
];

/** The library puts this in front of whatever failed on a first connection, also where nobody judged any authorization. */
const misleading = /^(mqtt\.js returned )?Failure on first connection \(Not authorized\): /;

const unresolved = new Set(["ENOTFOUND", "EAI_AGAIN"]);

/**
 * The error for a connection that did not come about, or has ended: a refusal of the service, a name or an address that
 * could not be reached, a certificate that is not trusted, or `transport.closed` with the library's error as its cause.
 */
export function connectionError(host: string, cause: unknown): LandfallError {
  if (isLandfallError(cause)) return cause;
  const origin = (cause as { transportError?: unknown } | undefined)?.transportError ?? cause;
  const { code } = (origin ?? {}) as { readonly code?: unknown };
  if (typeof code === "number") return connackRefusal(host, code, cause);
  const text = describeCause(origin).replace(misleading, "");
  const refusal = refusals.find(([pattern]) => pattern.test(text));
  if (refusal !== undefined) return connackRefusal(host, refusal[1], cause);
  const [ours, said] = networkCode(typeof code === "string" ? code : text);
  return new LandfallError(ours, `${said} ${host}: ${text}`, { cause });
}

function networkCode(hint: string): readonly [ErrorCode, string] {
  if (unresolved.has(hint) || /getaddrinfo (ENOTFOUND|EAI_AGAIN)/.test(hint)) {
    return ["endpoint.name-not-found", "could not resolve"];
  }
  if (/ETIMEDOUT/.test(hint)) return ["endpoint.connect-timeout", "could not connect to"];
  if (/ECONNREFUSED|E(HOST|NET)UNREACH/.test(hint)) return ["endpoint.connect-failed", "could not connect to"];
  if (/CERT|SELF_SIGNED|UNABLE_TO_|certificate/i.test(hint)) {
    return ["endpoint.tls-untrusted", "the certificate is not trusted of"];
  }
  return ["transport.closed", "there is no connection to"];
}
