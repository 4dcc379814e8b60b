import type { X509Certificate } from "node:crypto";
import { commonNameOf, isSameCertificate, judgePath, pathsToAnchors } from "../certificate-chain.ts";
import { deriveDeviceKey } from "../symmetric-key.ts";
import type { Enrollment } from "./enrollment.ts";
import type { EnrollmentBook } from "./enrollment-book.ts";
import type { TpmChallenges } from "./tpm/tpm-challenges.ts";
import { judgeTpm } from "./tpm/tpm-check.ts";
import { type AttestationVerdict, type RegistrationEvidence, tokenFault, unauthorized } from "./verdict.ts";

/**
 * Finds the enrollment of a device and verifies its credential. An individual enrollment decides alone; only without one
 * are the groups asked. A disabled enrollment is found like any other, so that it shadows a wider one.
 */
export function judgeAttestation(
  book: EnrollmentBook,
  evidence: RegistrationEvidence,
  challenges: TpmChallenges,
): AttestationVerdict {
  const individual = book.individual(evidence.registrationId);
  if (individual !== undefined) return judgeIndividual(individual, evidence, challenges);
  if (evidence.sasToken !== undefined) return judgeGroupKeys(book.groups("symmetric_key"), evidence);
  return judgeGroupChains(book.groups("x509"), evidence);
}

function judgeIndividual(
  enrollment: Enrollment,
  evidence: RegistrationEvidence,
  challenges: TpmChallenges,
): AttestationVerdict {
  const { attestation } = enrollment;
  if (attestation.method === "tpm") return judgeTpm(enrollment, attestation, evidence, challenges);
  if (attestation.method === "symmetric_key") {
    const { primaryKey, secondaryKey } = attestation;
    const fault = tokenFault([primaryKey, secondaryKey], evidence);
    if (fault !== undefined) return unauthorized(fault);
    return { kind: "proven", enrollment, identity: { method: "symmetric_key", primaryKey, secondaryKey } };
  }
  const leaf = leafOf(evidence);
  if (typeof leaf === "string") return unauthorized(leaf);
  if (!attestation.certificates.some((certificate) => isSameCertificate(certificate, leaf))) {
    return unauthorized("the certificate is not the enrolled one");
  }
  const fault = judgePath([leaf], evidence.nowMs);
  if (fault !== undefined) return unauthorized(fault.kind, "Invalid certificate.");
  return { kind: "proven", enrollment, identity: { method: "x509", leaf } };
}

function judgeGroupKeys(groups: readonly Enrollment[], evidence: RegistrationEvidence): AttestationVerdict {
  if (groups.length === 0) return notFound();
  let fault = "";
  for (const enrollment of groups) {
    const primaryKey = deriveDeviceKey(enrollment.primaryKey, evidence.registrationId);
    const secondaryKey = deriveDeviceKey(enrollment.secondaryKey, evidence.registrationId);
    const found = tokenFault([primaryKey, secondaryKey], evidence);
    if (found === undefined)
      return { kind: "proven", enrollment, identity: { method: "symmetric_key", primaryKey, secondaryKey } };
    fault = found;
  }
  return unauthorized(`${fault}, for a key derived from any group key`);
}

function judgeGroupChains(groups: readonly Enrollment[], evidence: RegistrationEvidence): AttestationVerdict {
  if (groups.length === 0) return notFound();
  const leaf = leafOf(evidence);
  if (typeof leaf === "string") return unauthorized(leaf);
  // The nearest enrolled authority decides, even where it decides against the device.
  const [path] = pathsToAnchors(evidence.certificates, groups.flatMap(authoritiesOf));
  const anchor = path?.at(-1);
  if (path === undefined || anchor === undefined) {
    return unauthorized("no enrolled authority on the way up from the certificate", "CA certificate not found.");
  }
  const enrollment = groups.find((group) => authoritiesOf(group).some((each) => isSameCertificate(each, anchor)));
  const fault = judgePath(path, evidence.nowMs);
  if (fault !== undefined || enrollment === undefined) return unauthorized(fault?.kind ?? "", "Invalid certificate.");
  return { kind: "proven", enrollment, identity: { method: "x509", leaf, signer: anchor } };
}

function authoritiesOf({ attestation }: Enrollment): readonly X509Certificate[] {
  return attestation.method === "x509" ? attestation.certificates : [];
}

/** The leaf whose common name is the registration id, or what is wrong in words. */
function leafOf({ certificates: [leaf], registrationId }: RegistrationEvidence): X509Certificate | string {
  if (leaf === undefined) return "expected a client certificate, found none";
  const commonName = commonNameOf(leaf);
  if (commonName?.toLowerCase() === registrationId.toLowerCase()) return leaf;
  return `the certificate's common name is ${commonName ?? "absent"}, not the registration id`;
}

function notFound(): AttestationVerdict {
  return {
    kind: "refused",
    errorCode: 404201,
    message: "Registration not found.",
    why: "no enrollment could be meant",
  };
}
