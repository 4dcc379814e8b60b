import { Secret } from "../../secret.ts";

/** A password as a TPM takes it: the bytes of its UTF-8. */
export function passwordBytes(password: Secret | undefined): Secret<Uint8Array> | undefined {
  return password && new Secret<Uint8Array>(Buffer.from(password.reveal()));
}
