import type { IdentityKind } from "./identity.ts";
import { pkcs11 } from "./pkcs11.ts";
import { symmetricKey } from "./symmetric-key.ts";
import { tpm } from "./tpm.ts";
import { x509 } from "./x509.ts";

/** Every identity that the demo can show, by its name on the command line. */
export const identities: Readonly<Record<string, IdentityKind>> = {
  x509,
  "symmetric-key": symmetricKey,
  tpm,
  pkcs11,
};
