import { fileURLToPath } from "node:url";
import { LandfallError } from "../errors.ts";

/**
 * The path that `location` names, which is a path or a `file://` URI.
 * Throws `key.unsupported-uri` for any other URI. Only its scheme gets into the message: the rest may hold a PIN.
 */
export function pathOf(location: string): string {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(location)?.[1]?.toLowerCase();
  if (scheme === undefined) return location;
  if (scheme !== "file") {
    throw new LandfallError("key.unsupported-uri", `Expected a path or a file:// URI; found a "${scheme}:" URI.`);
  }
  try {
    return fileURLToPath(location);
  } catch (cause) {
    throw new LandfallError("key.unsupported-uri", `Expected file:///absolute/path; found ${location}.`, { cause });
  }
}
