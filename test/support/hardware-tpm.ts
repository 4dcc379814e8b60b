import { parseTpmLocation, type TpmLocation } from "../../src/config/tpm-location.ts";
import { createSigningKey, persistSigningKey } from "../../src/keys/tpm/create-signing-key.ts";
import type { TpmKeyFile } from "../../src/keys/tpm/key-file.ts";
import { deviceOpener } from "../../src/keys/tpm/open-device.ts";
import { Tpm } from "../../src/keys/tpm/tpm.ts";
import type { TpmScope } from "../../src/keys/tpm/tpm-scope.ts";
import { Secret } from "../../src/secret.ts";
import type { Swtpm } from "./swtpm.ts";

const root = { template: "tcg", passwords: {}, readOnly: false } as const;

/** Where a software TPM is. */
export function locationOf(swtpm: Swtpm): TpmLocation {
  const location = parseTpmLocation(swtpm.location);
  if (location === undefined) throw new Error(`no location of a TPM: ${swtpm.location}`);
  return location;
}

/** Does one piece of work at a TPM, and lets go of it. */
export async function atTpm<T>(swtpm: Swtpm, work: (scope: TpmScope) => Promise<T>): Promise<T> {
  await using tpm = new Tpm({ open: deviceOpener(locationOf(swtpm)) });
  return await tpm.use(work);
}

/** Makes a key on P-256; with a handle it also stays in the TPM there. */
export function makeTpmKey(
  swtpm: Swtpm,
  { handle, password }: { readonly handle?: number; readonly password?: string } = {},
): Promise<TpmKeyFile> {
  return atTpm(swtpm, async (scope) => {
    const secret = password === undefined ? undefined : new Secret<Uint8Array>(Buffer.from(password));
    const key = await createSigningKey(scope, { password: secret, root });
    if (handle !== undefined) await persistSigningKey(scope, key, { handle, root });
    return key;
  });
}
