import type { SasCredential, SasRequest, SasToken } from "../keys/credential.ts";
import type { Signer } from "../keys/signer.ts";
import { Secret } from "../secret.ts";

/**
 * A credential that writes shared access signature tokens and has `signer` sign them.
 *
 * A token is `SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={key name}`. What is signed is the
 * resource as it stands in the token, that is percent-encoded, then a line feed, then the expiry. The expiry is in
 * whole seconds, rounded down, so that no token lives longer than was asked for.
 */
export function sasCredential(signer: Signer): SasCredential {
  return {
    kind: "sas",
    async token({ resource, keyName, expiresAtMs }: SasRequest, { signal } = {}): Promise<SasToken> {
      const encodedResource = encodeURIComponent(resource);
      const expiry = Math.floor(expiresAtMs / 1000);
      const signature = await signer.sign(Buffer.from(`${encodedResource}\n${expiry}`), { signal });
      const fields = [
        `sr=${encodedResource}`,
        `sig=${encodeURIComponent(Buffer.from(signature).toString("base64"))}`,
        `se=${expiry}`,
        ...(keyName === undefined ? [] : [`skn=${encodeURIComponent(keyName)}`]),
      ];
      return { text: new Secret(`SharedAccessSignature ${fields.join("&")}`), expiresAtMs: expiry * 1000 };
    },
  };
}
