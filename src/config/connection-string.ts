import type { Secret } from "../secret.ts";
import type { Parsed } from "./file-reference.ts";
import { parseSymmetricKey, symmetricKeyExpects } from "./symmetric-key-text.ts";

/** What a device connection string says. */
export interface ConnectionString {
  /** Host name of the hub, in lower case. */
  readonly hostName: string;
  readonly deviceId: string;
  readonly sharedAccessKey: Secret;
}

/** The form of a device connection string; fits after "expected". */
export const connectionStringExpects = "a connection string like HostName=…;DeviceId=…;SharedAccessKey=…";

const fields = ["HostName", "DeviceId", "SharedAccessKey"] as const;

/**
 * Reads a device connection string as the Azure portal shows it. Only the three fields of a device with a symmetric key
 * are known: a module, a gateway or an X.509 device needs settings that a connection string does not have.
 * Problems name fields, never their values.
 */
export function parseConnectionString(text: string): Parsed<ConnectionString> {
  const given = new Map<string, string>();
  for (const part of text.trim().split(";")) {
    const equals = part.indexOf("=");
    if (part !== "") given.set(part.slice(0, Math.max(0, equals)), part.slice(equals + 1));
  }
  const problem = (found: string, expected = connectionStringExpects) => ({ problem: { expected, found } });
  const [hostName, deviceId, key] = fields.map((field) => given.get(field));
  if (given.size !== fields.length || !hostName || !deviceId || !key) return problem(fieldsFound(given));
  const sharedAccessKey = parseSymmetricKey(key);
  if ("problem" in sharedAccessKey)
    return problem(sharedAccessKey.problem.found, `SharedAccessKey to be ${symmetricKeyExpects}`);
  return { value: { hostName: hostName.toLowerCase(), deviceId, sharedAccessKey: sharedAccessKey.value } };
}

/** Field names are repeated only when they are ones that Azure uses, because anything else may be a piece of a key. */
function fieldsFound(given: ReadonlyMap<string, string>): string {
  const known = [...fields, "SharedAccessKeyName", "ModuleId", "GatewayHostName", "x509", "SharedAccessSignature"];
  const found = known
    .filter((field) => given.has(field))
    .map((field) => (given.get(field) ? field : `${field} (empty)`));
  const others = given.size - found.length;
  if (others > 0) found.push(`${others} of another name`);
  return found.length === 0 ? "no field" : `the fields ${found.join(", ")}`;
}
