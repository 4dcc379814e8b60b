import { isJsonObject, type JsonValue } from "../../json.ts";
import type { TpmEvidence } from "./verdict.ts";

/** The members of a body that the emulator reads. */
export interface RegistrationBody {
  readonly payload?: JsonValue;
  readonly csr?: JsonValue;
  readonly tpm?: TpmEvidence;
}

/** Reads the body of a registration or look-up, or says in words what is wrong with it. It may be empty. */
export function parseBody(text: string, registrationId: string): RegistrationBody | string {
  if (text.trim() === "") return {};
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return "The body is not JSON.";
  }
  if (!isJsonObject(body)) return "The body is not a JSON object.";
  const { registrationId: named, payload, csr, tpm } = body;
  if (named !== undefined && (typeof named !== "string" || named.toLowerCase() !== registrationId.toLowerCase())) {
    return "The registration id of the body is another one.";
  }
  const evidence = tpm === undefined || tpm === null ? undefined : tpmEvidence(tpm);
  if (evidence === "malformed") return "The tpm of the body is not an object with an endorsementKey.";
  return {
    ...(payload === undefined ? {} : { payload }),
    ...(csr === undefined ? {} : { csr }),
    ...(evidence === undefined ? {} : { tpm: evidence }),
  };
}

/** Some clients write `null` for what they do not have. */
function tpmEvidence(value: JsonValue): TpmEvidence | "malformed" {
  const { endorsementKey, storageRootKey } = isJsonObject(value) ? value : {};
  if (typeof endorsementKey !== "string") return "malformed";
  if (storageRootKey === undefined || storageRootKey === null) return { endorsementKey };
  return typeof storageRootKey === "string" ? { endorsementKey, storageRootKey } : "malformed";
}
