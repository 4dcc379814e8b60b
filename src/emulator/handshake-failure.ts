const distrust = "it does not trust the emulator's certificate: give it the CA file that the ready line names";

/** What the codes of OpenSSL mean to somebody whose device does not get in. */
const meanings: readonly (readonly [RegExp, string])[] = [
  [/ALERT_(UNKNOWN_CA|(BAD_)?CERTIFICATE)/, distrust],
  [/HTTP_REQUEST|WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/, "what it sent is no TLS, and there is no port without"],
  [/UNSUPPORTED_PROTOCOL/, "it offers no TLS 1.2 or later"],
  [/NO_SHARED_CIPHER/, "it offers no cipher suite that the emulator has"],
];

/**
 * Why a client did not get through the TLS handshake, in words for who runs it; `undefined` for what is no mistake of a
 * device, such as a look whether the port is open.
 * @param serverName what it asked for, as far as it came to that
 */
export function handshakeFailure({ code = "" }: NodeJS.ErrnoException, serverName: unknown): string | undefined {
  const [, meaning] = meanings.find(([pattern]) => pattern.test(code)) ?? [];
  if (meaning !== undefined) return meaning;
  // Some clients, Node.js among them, look at the certificate and go without a word.
  return code === "ECONNRESET" && typeof serverName === "string"
    ? `it left in the middle; perhaps ${distrust}`
    : undefined;
}
