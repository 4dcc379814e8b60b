import { isLandfallError } from "../errors.ts";
import { saidBy } from "./words.ts";

/**
 * Why TLS did not come about.
 *
 * - `untrusted`: nobody who is trusted signed the certificate
 * - `wrong-name`: the certificate is for another name
 * - `not-valid-now`: by this machine's clock the certificate is expired, or not valid yet
 * - `cut`: the connection was reset or closed in the middle of the handshake
 * - `silent`: the peer took the connection and then said nothing
 * - `proxy`: a proxy is in the way
 * - `unvetted`: the connection led to an address that was not vetted
 * - `broken`: anything else
 */
export type TlsFailure =
  | "untrusted"
  | "wrong-name"
  | "not-valid-now"
  | "cut"
  | "silent"
  | "proxy"
  | "unvetted"
  | "broken";

const timeCodes = new Set(["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"]);
const cutCodes = new Set(["ECONNRESET", "EPIPE", "ERR_SSL_UNEXPECTED_EOF_WHILE_READING"]);

/** Reads the failure off what a dialer rejected with, once TCP is known to work. */
export function tlsFailureOf(error: unknown): { readonly failure: TlsFailure; readonly text: string } {
  return { failure: failureOf(error), text: saidBy(error) };
}

function failureOf(error: unknown): TlsFailure {
  if (!isLandfallError(error)) return "broken";
  const codes = codesBelow(error);
  switch (error.code) {
    case "endpoint.tls-untrusted":
      if (codes.has("ERR_TLS_CERT_ALTNAME_INVALID")) return "wrong-name";
      return [...timeCodes].some((code) => codes.has(code)) ? "not-valid-now" : "untrusted";
    case "endpoint.tls-failed":
      return [...cutCodes].some((code) => codes.has(code)) || wasClosed(error.cause) ? "cut" : "broken";
    case "endpoint.connect-timeout":
      return "silent";
    case "endpoint.proxy-failed":
      return "proxy";
    case "endpoint.unvetted-address":
      return "unvetted";
    default:
      return "broken";
  }
}

/** A connection that ends in order has no error code to show. */
function wasClosed(cause: unknown): boolean {
  return cause instanceof Error && (cause as NodeJS.ErrnoException).code === undefined;
}

/** Codes of an error, of its causes, and of the attempts that an error stands for. */
function codesBelow(error: unknown): Set<string> {
  const codes = new Set<string>();
  const visit = (each: unknown, depth: number): void => {
    if (!(each instanceof Error) || depth > 5) return;
    const { code } = each as NodeJS.ErrnoException;
    if (code !== undefined) codes.add(code);
    visit(each.cause, depth + 1);
    if (each instanceof AggregateError) for (const one of each.errors) visit(one, depth + 1);
  };
  visit(error, 0);
  return codes;
}
