import { inMcu } from "./mcu-place.ts";
import type { AttestationSettings } from "./settings.ts";

/** Whether any part of an identity, by its settings, is in the MCU. */
export function isKeptInMcu(identity: AttestationSettings): boolean {
  if (identity.method === "symmetric_key") return identity.symmetricKey === inMcu;
  if (identity.method === "tpm") return identity.tpm === inMcu;
  const { source } = identity;
  return source.kind === "pem" && (source.certificate === inMcu || source.privateKey === inMcu);
}
