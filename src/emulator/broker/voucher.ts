import type { X509Certificate } from "node:crypto";
import type { Dps } from "../dps/dps.ts";
import type { Enrollment } from "../dps/enrollment.ts";
import type { Hub } from "../hub/hub.ts";
import { signSasToken } from "../sas.ts";

/** What a service is shown in a device's stead. */
export interface Voucher {
  readonly password?: Buffer;
  readonly certificates: readonly X509Certificate[];
}

/** A broker never tells what a device has shown it, so the emulator shows its services what they expect, for ten years. */
const lifetimeMs = 10 * 365 * 24 * 3_600_000;

/**
 * What an enrolled device would show to DPS. Nothing for one that is not enrolled, or that belongs to a group with
 * certificates, where only the device has its own: the service then refuses it.
 */
export function voucherForDps(dps: Dps, registrationId: string, nowMs: number): Voucher {
  const enrollment =
    individualOf(dps, registrationId) ??
    dps.enrollments.find(({ kind, attestation }) => kind === "group" && attestation.method === "symmetric_key");
  if (enrollment?.attestation.method === "x509") return certificateOf(enrollment);
  if (enrollment === undefined) return { certificates: [] };
  const resource = `${dps.idScope}/registrations/${registrationId}`;
  return tokenFor(resource, enrollment.deviceKey(registrationId), nowMs);
}

/** The same for a hub. A device with a certificate has to have an individual enrollment. */
export function voucherForHub(hub: Hub, deviceId: string, dps: Dps, nowMs: number): Voucher {
  const authentication = hub.registry.get(deviceId)?.authentication;
  if (authentication?.kind === "symmetric_key") {
    return tokenFor(`${hub.hostName}/devices/${deviceId}`, authentication.primaryKey, nowMs);
  }
  const enrollment = dps.enrollments.find(
    (each) => each.kind === "individual" && each.deviceIdOf(each.id) === deviceId,
  );
  return enrollment?.attestation.method === "x509" ? certificateOf(enrollment) : { certificates: [] };
}

function individualOf(dps: Dps, registrationId: string): Enrollment | undefined {
  const wanted = registrationId.toLowerCase();
  return dps.enrollments.find(({ kind, id }) => kind === "individual" && id.toLowerCase() === wanted);
}

function certificateOf({ attestation }: Enrollment): Voucher {
  return { certificates: attestation.method === "x509" ? attestation.certificates.slice(0, 1) : [] };
}

function tokenFor(resource: string, key: string, nowMs: number): Voucher {
  return { password: Buffer.from(signSasToken(resource, key, nowMs + lifetimeMs)), certificates: [] };
}
