import type { Clock } from "../clock.ts";
import { inMcu } from "../config/mcu-place.ts";
import type { AttestationSettings, SymmetricKeySettings, TpmSettings, X509Settings } from "../config/settings.ts";
import { type OpenedMcu, requireMcu } from "../keys/mcu/opened-mcu.ts";
import { openIdentity } from "../keys/open-identity.ts";
import { SymmetricKey } from "../keys/symmetric-key.ts";
import type { Attestation } from "./attestation.ts";
import { nameForDps, nameForHub } from "./certificate-name.ts";
import { deriveDeviceKey } from "./derive-key.ts";
import { checkRegistrationId } from "./registration-id.ts";
import { sasCredential } from "./sas-token.ts";
import { SymmetricKeyAttestation } from "./symmetric-key-attestation.ts";
import { X509Attestation } from "./x509-attestation.ts";

/** Where the attestation will be used, and by what time. */
export interface AttestationContext {
  /** `manual`: straight at a hub, where `registrationId` is the device id and the rules of DPS do not hold. */
  readonly source: "dps" | "manual";
  /** The time that certificates are checked against. */
  readonly clock: Clock;
  /** Look at keys, create none. Default false. */
  readonly readOnly?: boolean;
  /** The MCU, where the settings place something in it. It stays its owner's, and has to outlive the attestation. */
  readonly mcu?: OpenedMcu | undefined;
}

/** An attestation, and what a person should know although it can be used. */
export interface CreatedAttestation {
  readonly attestation: Attestation;
  readonly warnings: readonly string[];
}

/**
 * Opens the keys that the settings name and checks all that can be checked without contacting anybody: that key and
 * certificate fit each other, that the certificate has not expired and is for this device, that ids and keys are well-formed.
 *
 * Rejects with `key.*`, `certificate.*`, `tpm.*`, `attestation.*` or `config.secret-unreadable`; nothing stays open then.
 */
export function createAttestation(
  settings: AttestationSettings,
  context: AttestationContext,
): Promise<CreatedAttestation> {
  switch (settings.method) {
    case "x509":
      return createX509(settings, context);
    case "symmetric_key":
      return createSymmetricKey(settings, context);
    case "tpm":
      return createTpm(settings, context);
  }
}

async function createX509(
  { method, registrationId, source: place }: X509Settings,
  { source, clock, mcu }: AttestationContext,
): Promise<CreatedAttestation> {
  if (source === "dps" && registrationId !== undefined) checkRegistrationId(registrationId, method);
  const { identity, warnings } = await openIdentity(place, { clock, mcu });
  try {
    const named = (source === "dps" ? nameForDps : nameForHub)(identity.commonNames, registrationId);
    if (source === "dps") checkRegistrationId(named.id, method);
    return { attestation: new X509Attestation(named.id, identity), warnings: [...warnings, ...named.warnings] };
  } catch (error) {
    await identity.close();
    throw error;
  }
}

async function createSymmetricKey(
  settings: SymmetricKeySettings,
  { source, clock, mcu }: AttestationContext,
): Promise<CreatedAttestation> {
  const { method, registrationId, symmetricKey, derive } = settings;
  if (source === "dps") checkRegistrationId(registrationId, method);
  if (symmetricKey === inMcu) {
    const { mcuSasCredential } = await import("../keys/mcu/mcu-sas.ts");
    const credential = mcuSasCredential(requireMcu(mcu).link, { registrationId, clock });
    return { attestation: new SymmetricKeyAttestation(registrationId, credential), warnings: [] };
  }
  const given = SymmetricKey.parse(symmetricKey);
  const key = derive ? await deriveDeviceKey(given, registrationId) : given;
  return { attestation: new SymmetricKeyAttestation(registrationId, sasCredential(key)), warnings: [] };
}

/** Without a registration id the TPM is asked for its endorsement key; with one it is not touched yet. */
async function createTpm(
  settings: TpmSettings,
  { clock, readOnly, mcu }: AttestationContext,
): Promise<CreatedAttestation> {
  const { method, registrationId: given } = settings;
  const { openTpmIdentity } = await import("../keys/tpm/open-tpm-identity.ts");
  const { registrationIdOf, TpmAttestation } = await import("./tpm-attestation.ts");
  const identity = openTpmIdentity(settings, { clock, readOnly, mcu: mcu?.link });
  try {
    const registrationId = given ?? registrationIdOf((await identity.rootKeys()).endorsementKey);
    checkRegistrationId(registrationId, method);
    return { attestation: new TpmAttestation(registrationId, identity), warnings: [] };
  } catch (error) {
    await identity.close();
    throw error;
  }
}
