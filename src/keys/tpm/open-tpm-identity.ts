import type { Clock } from "../../clock.ts";
import { inMcu } from "../../config/mcu-place.ts";
import type { TpmSettings } from "../../config/settings.ts";
import type { SmpClient } from "../../serial/smp-client.ts";
import { mcuTpmOpener } from "../mcu/mcu-tpm-device.ts";
import { requireMcu } from "../mcu/opened-mcu.ts";
import { deviceOpener } from "./open-device.ts";
import { passwordBytes } from "./password-bytes.ts";
import { Tpm } from "./tpm.ts";
import { TpmIdentity } from "./tpm-identity.ts";

/** What a TPM's identity is opened with, beside its settings. */
export interface TpmIdentityOpening {
  readonly clock: Clock;
  /** Look at keys, create none. Default false. */
  readonly readOnly?: boolean | undefined;
  /** The MCU that the TPM is behind, if it is. */
  readonly mcu?: SmpClient | undefined;
}

/** The identity that the TPM of the settings gives. The TPM is not touched yet. */
export function openTpmIdentity(
  { tpm, keyTemplate, ownerPassword, endorsementPassword }: Omit<TpmSettings, "method" | "registrationId">,
  { clock, readOnly, mcu }: TpmIdentityOpening,
): TpmIdentity {
  return new TpmIdentity({
    tpm: new Tpm({ open: tpm === inMcu ? mcuTpmOpener(requireMcu(mcu)) : deviceOpener(tpm), clock }),
    template: keyTemplate,
    passwords: { owner: passwordBytes(ownerPassword), endorsement: passwordBytes(endorsementPassword) },
    readOnly,
  });
}
