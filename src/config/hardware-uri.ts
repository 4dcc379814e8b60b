import { isPkcs11Uri, parsePkcs11Uri, shownPkcs11Uri } from "./pkcs11-uri.ts";
import type { Place } from "./place.ts";
import { isTpmUri, parseTpmUri } from "./tpm-uri.ts";

/** A form of URI that names something in hardware, for settings that take it beside a file. */
export interface HardwareUri {
  /** Where it is; fits after "the URI of a". */
  readonly of: string;
  /** Whether a text means to be such a URI. */
  isMeantBy(text: string): boolean;
  /** The text as it is when it is well-formed; otherwise notes the fault, which shows none of it. */
  read(text: string, at: Place): string | undefined;
}

/** `pkcs11:`, something in a token. */
export const pkcs11Uri: HardwareUri = {
  of: "PKCS#11 token",
  isMeantBy: isPkcs11Uri,
  read(text, at) {
    const result = parsePkcs11Uri(text);
    if ("problem" in result) return at.fault({ ...result.problem, code: "key.invalid-uri" });
    if (result.value.pinValue !== undefined) at.findings.holdsSecret = true;
    return text;
  },
};

/** `tpm:`, a key in a TPM. */
export const tpmUri: HardwareUri = {
  of: "TPM key",
  isMeantBy: isTpmUri,
  read(text, at) {
    const result = parseTpmUri(text);
    return "value" in result ? text : at.fault({ ...result.problem, code: "key.invalid-uri" });
  },
};

/** The place of a key or certificate as people may see it: a path, or a URI without the PIN that may stand in it. */
export function withoutPin(place: string): string {
  if (!isPkcs11Uri(place)) return place;
  const result = parsePkcs11Uri(place);
  return "value" in result ? shownPkcs11Uri(result.value) : "pkcs11:…";
}
