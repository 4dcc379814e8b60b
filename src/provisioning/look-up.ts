import type { Attestation } from "../attestation/attestation.ts";
import { LandfallError } from "../errors.ts";
import type { HttpsDpsResponse } from "../transport/https/dps-answer.ts";
import type { HttpsDps } from "../transport/https/https-dps.ts";
import type { CallOptions, Route } from "../transport/transport.ts";
import { type RegistrationAnswer, readLookUp } from "./wire.ts";

/** What DPS says of a device without registering it. */
export interface RegistrationLookUp extends Pick<HttpsDpsResponse, "errorCode" | "dateMs" | "status"> {
  /** `assigning` also stands for a device that is enrolled and was never assigned. */
  readonly answer: RegistrationAnswer;
}

/** Who is looked up, and where. */
export interface LookUpParts {
  readonly dps: Pick<HttpsDps, "lookUp">;
  readonly route: Route;
  readonly idScope: string;
  readonly attestation: Attestation;
}

/**
 * Asks DPS about the registration of this device; nothing is registered. Rejects with `endpoint.*`, `transport.*` or `key.*`,
 * and with `attestation.unsupported-pair` for an attestation that has no credential before a challenge.
 */
export async function lookUpRegistration(
  { dps, route, idScope, attestation }: LookUpParts,
  options: CallOptions = {},
): Promise<RegistrationLookUp> {
  const credential = await attestation.credential();
  if (credential === undefined) {
    const message = `a device with attestation "${attestation.method}" proves itself only while it registers`;
    throw new LandfallError("attestation.unsupported-pair", message);
  }
  const { registrationId } = attestation;
  const response = await dps.lookUp(route, { idScope, registrationId, credential }, options);
  const { status, errorCode, dateMs } = response;
  return {
    status,
    answer: readLookUp(response),
    ...(errorCode === undefined ? {} : { errorCode }),
    ...(dateMs === undefined ? {} : { dateMs }),
  };
}
