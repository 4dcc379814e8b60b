import type { Settings } from "../config/settings.ts";
import { type KeyFileMode, keyFileMode } from "../key-file-mode.ts";
import { identityOf } from "./identity.ts";

/** A file that holds this device's private key, and who may read it. */
export interface KeyFile extends KeyFileMode {
  readonly path: string;
}

/** The files of the private key that the settings name by path; a key in hardware has none. Rejects as `keyFileMode` does. */
export async function keyFilesOf(settings: Settings): Promise<readonly KeyFile[]> {
  const identity = identityOf(settings);
  if (identity.method !== "x509") return [];
  const { source } = identity;
  const path = source.kind === "pkcs12" ? source.file : source.privateKey;
  return path.startsWith("/") ? [{ path, ...(await keyFileMode(path)) }] : [];
}
