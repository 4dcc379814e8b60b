import { LandfallError } from "../errors.ts";
import { isSameRegistrationId } from "./registration-id.ts";

/** Whom a certificate is for, in the service's eyes. */
export interface NamedIdentity {
  /** The id that the device goes by, and what a person should know about it. */
  readonly id: string;
  readonly warnings: readonly string[];
}

/**
 * The registration id of a device whose certificate has these common names: `registrationId`, or the common name where
 * none is set. DPS requires the two to be equal, and does not tell capital letters from small ones in ids; so another
 * spelling is let through with a warning, since the hub, which does tell them apart, gets the id from DPS.
 *
 * Throws `certificate.name-mismatch`, naming both.
 */
export function nameForDps(commonNames: readonly string[], registrationId?: string): NamedIdentity {
  const [commonName] = commonNames;
  if (commonName === undefined || commonNames.length > 1) {
    throw new LandfallError(
      "certificate.name-mismatch",
      `Expected a certificate with one common name, ${quoted(registrationId) ?? "the registration id"}; ` +
        `found ${describe(commonNames)}.`,
    );
  }
  if (registrationId === undefined) return { id: commonName, warnings: [] };
  if (registrationId === commonName) return { id: registrationId, warnings: [] };
  const difference = `the registration id is ${quoted(registrationId)} and the common name ${quoted(commonName)}`;
  if (isSameRegistrationId(registrationId, commonName)) {
    return { id: registrationId, warnings: [`Only the case of letters differs: ${difference}.`] };
  }
  throw new LandfallError("certificate.name-mismatch", `The certificate is for another device: ${difference}.`);
}

/**
 * The same for a device that goes to a hub without DPS. A hub that knows the certificate's issuer requires the common
 * name to be the device id, one that knows its thumbprint does not; which of the two it is cannot be seen from here, so
 * a difference is a warning.
 */
export function nameForHub(commonNames: readonly string[], deviceId?: string): NamedIdentity {
  if (deviceId === undefined) return nameForDps(commonNames);
  if (commonNames.length === 1 && commonNames[0] === deviceId) return { id: deviceId, warnings: [] };
  return {
    id: deviceId,
    warnings: [
      `The device id is ${quoted(deviceId)} and the certificate has ${describe(commonNames)}. ` +
        "The hub accepts that only if the device is registered with the certificate's thumbprint.",
    ],
  };
}

function describe(commonNames: readonly string[]): string {
  return commonNames.length === 0 ? "no common name" : `the common name ${commonNames.map(quoted).join(" and ")}`;
}

function quoted(name: string | undefined): string | undefined {
  return name === undefined ? undefined : JSON.stringify(name);
}
