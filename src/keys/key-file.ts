import { readFile } from "node:fs/promises";
import { LandfallError } from "../errors.ts";
import { checkKeyFileMode } from "../key-file-mode.ts";
import { pathOf } from "./key-location.ts";

/** The bytes of a file, and what should be said about its permissions. */
export interface KeyFile {
  readonly path: string;
  readonly bytes: Buffer;
  readonly warnings: readonly string[];
}

/**
 * Reads a file that holds a private key. Rejects with `key.world-readable` when everybody may read it,
 * `config.secret-unreadable` when we may not, `key.unsupported-uri` when `location` is no file.
 * @param location a path or a `file://` URI
 */
export async function readKeyFile(location: string): Promise<KeyFile> {
  const path = pathOf(location);
  const { warning } = await checkKeyFileMode(path);
  return { path, bytes: await read(path), warnings: warning === undefined ? [] : [warning] };
}

/**
 * Reads a file of certificates; who may read it matters only if it holds a private key as well.
 * Rejects like {@link readKeyFile}.
 * @param location a path or a `file://` URI
 */
export async function readCertificateFile(location: string): Promise<KeyFile> {
  const path = pathOf(location);
  const bytes = await read(path);
  return bytes.includes("PRIVATE KEY-----") ? await readKeyFile(path) : { path, bytes, warnings: [] };
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new LandfallError("config.secret-unreadable", `The file ${path} cannot be read.`, { cause });
  }
}
