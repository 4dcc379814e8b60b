import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Fault } from "./fault.ts";

/** Where a text says that something is kept: in a file, in the environment, in the text itself, or out of reach. */
export type Location =
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "environment"; readonly variable: string }
  | { readonly kind: "plain" }
  | { readonly kind: "unreachable"; readonly problem: Omit<Fault, "path" | "expected"> };

/** Places that have a URI scheme of their own and that this version cannot open. */
const outOfReach: Readonly<Record<string, string>> = {
  pkcs11: "PKCS#11 token",
  tpm: "TPM",
  mcu: "microcontroller",
};

/**
 * Tells a `file:` URI, an `env:` reference and the URIs of hardware from plain text.
 * No problem shows more of the text than its scheme, because the rest may hold a PIN.
 */
export function locate(text: string): Location {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1]?.toLowerCase() ?? "";
  if (scheme === "file") return locateFile(text);
  if (scheme === "env") return { kind: "environment", variable: text.slice("env:".length) };
  const place = Object.hasOwn(outOfReach, scheme) ? outOfReach[scheme] : undefined;
  if (place === undefined) return { kind: "plain" };
  const problem = {
    found: `a ${scheme}: URI`,
    hint: `this version cannot use what is kept in a ${place}`,
    code: "key.unsupported-uri",
  } as const;
  return { kind: "unreachable", problem };
}

function locateFile(uri: string): Location {
  try {
    return { kind: "file", file: fileURLToPath(uri) };
  } catch {
    return { kind: "unreachable", problem: { found: "a file: URI of another form" } };
  }
}

/** A path of the configuration as an absolute one. */
export function absolutePath(path: string, baseDirectory: string): string {
  return isAbsolute(path) ? path : resolve(baseDirectory, path);
}
