import type { AttestationSettings, Settings } from "../config/settings.ts";

/** Who the device is, by its configuration. */
export function identityOf({ provisioning }: Settings): AttestationSettings {
  return provisioning.source === "dps" ? provisioning.attestation : provisioning.authentication;
}
