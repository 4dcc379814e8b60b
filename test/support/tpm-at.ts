import { parseTpmLocation } from "../../src/config/tpm-location.ts";
import { deviceOpener } from "../../src/keys/tpm/open-device.ts";
import { Tpm } from "../../src/keys/tpm/tpm.ts";
import type { OpenTpmDevice } from "../../src/keys/tpm/tpm-device.ts";

/** What opens the TPM that a text of the configuration names. */
export function openerAt(text: string): OpenTpmDevice {
  const location = parseTpmLocation(text);
  if (location === undefined) throw new Error(`not a location of a TPM: ${text}`);
  return deviceOpener(location);
}

/** The TPM that a text of the configuration names. */
export function tpmAt(text: string): Tpm {
  return new Tpm({ open: openerAt(text) });
}
