import { createHash } from "node:crypto";
import { formatPkcs11Path, type Pkcs11Uri } from "../../config/pkcs11-uri.ts";
import type { Secret } from "../../secret.ts";

/**
 * PINs that a token has refused in this process. Tokens lock after a few wrong ones, often three, and one run of a program
 * may come to a key on several ways; so no wrong PIN is tried a second time.
 */
export class RefusedPins {
  readonly #digests = new Set<string>();

  has(uri: Pkcs11Uri, pin: Secret): boolean {
    return this.#digests.has(digestOf(uri, pin));
  }

  add(uri: Pkcs11Uri, pin: Secret): void {
    this.#digests.add(digestOf(uri, pin));
  }
}

/** A token has one PIN for all of its objects. */
function digestOf({ path }: Pkcs11Uri, pin: Secret): string {
  const { object: _, id: __, type: ___, ...token } = path;
  return createHash("sha256")
    .update(`${formatPkcs11Path(token)}?${pin.reveal()}`)
    .digest("hex");
}
