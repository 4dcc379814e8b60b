import type { KeyObject } from "node:crypto";
import { LandfallError } from "../../errors.ts";
import type { Secret } from "../../secret.ts";
import { writeNew } from "../write-new.ts";
import { createSigningKey, persistSigningKey } from "./create-signing-key.ts";
import { formatTpmKeyFile } from "./key-file.ts";
import { deviceOpener } from "./open-device.ts";
import { readTpmUri } from "./open-tpm-key.ts";
import { passwordBytes } from "./password-bytes.ts";
import { signingPublicKey } from "./signing-key-area.ts";
import { Tpm } from "./tpm.ts";

/**
 * Has a TPM make a key on P-256: for good at the handle of a `tpm:` URI, or wrapped into the file of one. Resolves with
 * the public half.
 * Rejects with `key.unusable` for RSA, which landfall has no TPM sign with; `key.already-there`, `key.invalid-uri`, `tpm.*`.
 */
export async function createTpmKey(
  location: string,
  creation: {
    readonly type: "ec" | "rsa";
    readonly password?: Secret | undefined;
    readonly ownerPassword?: Secret | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<KeyObject> {
  if (creation.type === "rsa") {
    throw new LandfallError(
      "key.unusable",
      "Expected an EC key for a TPM; found RSA, which only tokens and files can have.",
    );
  }
  const uri = readTpmUri(location);
  const password = passwordBytes(creation.password);
  const passwords = { owner: passwordBytes(creation.ownerPassword) };
  const root = { template: "tcg", passwords, readOnly: false } as const;
  await using tpm = new Tpm({ open: deviceOpener(uri.location) });
  const key = await tpm.use(
    async (scope) => {
      const made = await createSigningKey(scope, { password, root });
      if (uri.key.kind === "handle") await persistSigningKey(scope, made, { handle: uri.key.handle, root });
      return made;
    },
    { signal: creation.signal },
  );
  if (uri.key.kind === "file") await writeNew(uri.key.path, formatTpmKeyFile(key));
  return signingPublicKey(key.publicArea, location);
}
