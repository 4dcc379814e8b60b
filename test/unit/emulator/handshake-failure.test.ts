import { expect, test } from "vitest";
import { handshakeFailure } from "../../../src/emulator/handshake-failure.ts";

test.each([
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", undefined, /does not trust/],
  ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN", undefined, /does not trust/],
  ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", undefined, /does not trust/],
  ["ECONNRESET", "hub-a.azure-devices.net", /perhaps it does not trust/],
  ["ERR_SSL_HTTP_REQUEST", undefined, /no TLS/],
  ["ERR_SSL_WRONG_VERSION_NUMBER", undefined, /no TLS/],
  ["ERR_SSL_UNSUPPORTED_PROTOCOL", undefined, /TLS 1\.2/],
  ["ERR_SSL_NO_SHARED_CIPHER", undefined, /cipher/],
] as const)("%s from a client of %s has a meaning", (code, serverName, words) => {
  expect(handshakeFailure(Object.assign(new Error("no"), { code }), serverName)).toMatch(words);
});

test.each([
  ["ECONNRESET", null],
  ["ERR_SSL_INTERNAL_ERROR", "hub-a.azure-devices.net"],
])("%s from a client of %s is no mistake of a device", (code, serverName) => {
  expect(handshakeFailure(Object.assign(new Error("no"), { code }), serverName)).toBeUndefined();
});
