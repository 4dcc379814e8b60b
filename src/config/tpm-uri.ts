import type { Parsed } from "./file-reference.ts";
import {
  defaultTpmLocation,
  formatTpmLocation,
  parseTpmLocation,
  type TpmLocation,
  tpmLocationExpects,
} from "./tpm-location.ts";

/** A key in a TPM: one that stays there under a handle, or one that is loaded from a file in which the TPM wrapped it. */
export interface TpmUri {
  readonly key: { readonly kind: "handle"; readonly handle: number } | { readonly kind: "file"; readonly path: string };
  readonly location: TpmLocation;
}

/** What a setting that takes such a URI expects. */
export const tpmUriExpects =
  'a TPM URI of a persistent handle, or of a file with a TSS2 PRIVATE KEY, such as "tpm:handle=0x81010010" or ' +
  '"tpm:file=/var/lib/landfall/device.tss2.pem;at=device:/dev/tpm0"';

/** Whether a text means to be such a URI. */
export function isTpmUri(text: string): boolean {
  return /^tpm:/i.test(text);
}

/** Reads a URI of a key in a TPM. Characters may be written as %XX, and a semicolon has to be. */
export function parseTpmUri(text: string): Parsed<TpmUri> {
  if (!isTpmUri(text)) return problem("another text");
  const attributes = new Map<string, string>();
  for (const part of text.slice("tpm:".length).split(";")) {
    const [, name, escaped] = /^(handle|file|at)=(.+)$/s.exec(part) ?? [];
    const value = escaped === undefined ? undefined : decode(escaped);
    if (name === undefined || value === undefined) return problem("an attribute that is not handle=, file= or at=");
    if (attributes.has(name)) return problem(`the attribute ${name} twice`);
    attributes.set(name, value);
  }
  const [handle, path] = [attributes.get("handle"), attributes.get("file")];
  const location = parseTpmLocation(attributes.get("at") ?? defaultTpmLocation);
  if (location === undefined) return problem(`a value of at other than ${tpmLocationExpects}`);
  if ((handle === undefined) === (path === undefined)) return problem("both handle and file, or neither");
  if (handle !== undefined) {
    // Handles of this range are those of keys that stay in a TPM.
    if (!/^0x81[0-9a-f]{6}$/i.test(handle)) return problem("a handle outside 0x81000000 to 0x81ffffff");
    return { value: { key: { kind: "handle", handle: Number.parseInt(handle.slice(2), 16) }, location } };
  }
  if (path === undefined || !path.startsWith("/")) return problem("a file that is not an absolute path");
  return { value: { key: { kind: "file", path }, location } };
}

/** A {@link TpmUri} as it is written. */
export function formatTpmUri({ key, location }: TpmUri): string {
  const which = key.kind === "handle" ? `handle=0x${key.handle.toString(16)}` : `file=${encode(key.path)}`;
  const at = formatTpmLocation(location);
  return `tpm:${which}${at === defaultTpmLocation ? "" : `;at=${encode(at)}`}`;
}

function problem(found: string): { readonly problem: { readonly expected: string; readonly found: string } } {
  return { problem: { expected: tpmUriExpects, found } };
}

function encode(text: string): string {
  return text.replace(/[%;]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decode(escaped: string): string | undefined {
  try {
    const text = decodeURIComponent(escaped);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}
