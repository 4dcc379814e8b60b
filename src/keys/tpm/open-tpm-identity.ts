import type { Clock } from "../../clock.ts";
import type { TpmSettings } from "../../config/settings.ts";
import { Secret } from "../../secret.ts";
import { deviceOpener } from "./open-device.ts";
import { Tpm } from "./tpm.ts";
import { TpmIdentity } from "./tpm-identity.ts";

/** The identity that the TPM of the settings gives. The TPM is not touched yet. */
export function openTpmIdentity(
  { tpm, keyTemplate, ownerPassword, endorsementPassword }: Omit<TpmSettings, "method" | "registrationId">,
  { clock, readOnly }: { readonly clock: Clock; readonly readOnly?: boolean | undefined },
): TpmIdentity {
  return new TpmIdentity({
    tpm: new Tpm({ open: deviceOpener(tpm), clock }),
    template: keyTemplate,
    passwords: { owner: bytesOf(ownerPassword), endorsement: bytesOf(endorsementPassword) },
    readOnly,
  });
}

function bytesOf(password: Secret | undefined): Secret<Uint8Array> | undefined {
  return password && new Secret<Uint8Array>(Buffer.from(password.reveal()));
}
