import { LandfallError } from "../errors.ts";
import type { AttestationMethod } from "./attestation.ts";

const longest = 128;

/** The common name of a certificate ends here (X.520), and for X.509 the registration id has to be one. */
const longestCommonName = 64;

/**
 * Checks a registration id by the rules of DPS: up to 128 characters (64 with X.509), ASCII letters and digits and
 * `- . _ :`, the first one a letter or digit, the last one a letter, a digit or `-`.
 *
 * The service's descriptions differ about a `-` at the end: its guide for X.509 allows it, its interface description
 * does not. It is let through here, because the service can still refuse it and says so, whereas a device that were
 * refused here would be locked out of an enrollment that exists.
 *
 * Throws `attestation.registration-id`, naming the rule and what was found.
 */
export function checkRegistrationId(text: string, method: AttestationMethod): void {
  const limit = method === "x509" ? longestCommonName : longest;
  const fault = findFault(text, limit);
  if (fault === undefined) return;
  throw new LandfallError("attestation.registration-id", `The registration id ${JSON.stringify(text)} ${fault}.`);
}

function findFault(text: string, limit: number): string | undefined {
  if (text === "") return "is empty";
  if (text.length > limit) return `may have ${limit} characters at most; found ${text.length}`;
  const foreign = /[^A-Za-z0-9\-._:]/u.exec(text)?.[0];
  if (foreign !== undefined) {
    return `may have letters, digits and - . _ : only; found ${JSON.stringify(foreign)}`;
  }
  if (/^[^A-Za-z0-9]/.test(text)) return `has to begin with a letter or digit; found "${text[0]}"`;
  if (/[^A-Za-z0-9-]$/.test(text)) return `has to end with a letter, a digit or -; found "${text.at(-1)}"`;
  return undefined;
}

/** Whether DPS takes both for the same: the case of letters makes no difference to it. */
export function isSameRegistrationId(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
