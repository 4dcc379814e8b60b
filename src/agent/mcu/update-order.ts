import { createHash, timingSafeEqual } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { describeCause, LandfallError } from "../../errors.ts";
import { isJsonObject, type JsonValue } from "../../json.ts";
import { type FirmwareImage, readImageFile } from "../../serial/firmware/image-file.ts";

/** What the method `updateMcu` asks for. */
export interface UpdateOrder {
  /** A name in the directory of images; no path. */
  readonly file: string;
  /** Of the file's whole content. */
  readonly sha256: Buffer;
  readonly allowDowngrade: boolean;
}

/** No flash of an MCU is larger, in bytes. */
const mostImageBytes = 64 * 1024 * 1024;

const form =
  '{"file": NAME, "sha256": 64 hex digits} with a NAME in the directory of images, and perhaps "allowDowngrade"';

/** Reads the payload of the method; `undefined` for one of another form, names of unknown members included. */
export function readUpdateOrder(payload: JsonValue): UpdateOrder | { readonly expected: string } {
  const wrong = { expected: form };
  if (!isJsonObject(payload)) return wrong;
  const { file, sha256, allowDowngrade = false, ...unknown } = payload;
  if (Object.keys(unknown).length > 0 || typeof allowDowngrade !== "boolean") return wrong;
  // A name that begins with a dot is a folder, or what somebody is still writing.
  if (typeof file !== "string" || !/^[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,127}$/.test(file)) return wrong;
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/i.test(sha256)) return wrong;
  return { file, sha256: Buffer.from(sha256, "hex"), allowDowngrade };
}

/**
 * Reads the image that is ordered. It is a plain file right in `directory`, never one that a link there leads to, and its
 * content is what whoever ordered it meant. Rejects with `firmware.unusable`.
 */
export async function readOrderedImage(directory: string, { file, sha256 }: UpdateOrder): Promise<FirmwareImage> {
  const bytes = await readPlainFile(join(directory, file), file);
  const found = createHash("sha256").update(bytes).digest();
  if (!timingSafeEqual(found, sha256)) {
    const hashes = `expected SHA-256 ${sha256.toString("hex")}, found ${found.toString("hex")}`;
    throw new LandfallError("firmware.unusable", `${file} is not the file that was ordered: ${hashes}`);
  }
  return readImageFile(bytes);
}

async function readPlainFile(path: string, name: string): Promise<Buffer> {
  try {
    // Non-blocking, for a pipe would have us wait.
    await using handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const found = await handle.stat();
    if (!found.isFile() || found.size > mostImageBytes) {
      throw new TypeError(`expected a plain file of at most ${mostImageBytes} bytes`);
    }
    return await handle.readFile();
  } catch (cause) {
    throw new LandfallError("firmware.unusable", `could not read ${name}: ${describeCause(cause)}`, { cause });
  }
}
