import { systemClock } from "../../src/clock.ts";
import { TlsDialer } from "../../src/endpoint/tls-dialer.ts";
import type { SasCredential } from "../../src/keys/credential.ts";
import { Secret } from "../../src/secret.ts";
import { testTrust } from "./tls-peer.ts";

/** A dialer that trusts the CA of the tests and finds every name on loopback. */
export async function testDialer(): Promise<TlsDialer> {
  return new TlsDialer({ clock: systemClock, trustBundle: await testTrust(), lookup: async () => ["127.0.0.1"] });
}

/** What {@link testCredential} writes into its tokens, so that a test can look for it where it must not be. */
export const tokenText = "SharedAccessSignature sr=anything&sig=t0psecret&se=1";

/** A credential whose tokens are worth nothing, for peers that do not check them. */
export const testCredential: SasCredential = {
  kind: "sas",
  token: async ({ expiresAtMs }) => ({ text: new Secret(tokenText), expiresAtMs }),
};
