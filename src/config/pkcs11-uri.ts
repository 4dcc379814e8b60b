import { Secret } from "../secret.ts";
import type { Parsed } from "./file-reference.ts";

/** Where the PIN of a token is kept, as `pin-source` says. */
export type PinSource =
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "environment"; readonly variable: string };

/** The attributes of a PKCS#11 URI that tell which token and which object is meant; all that are given have to fit. */
export interface Pkcs11Path {
  readonly token?: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly serial?: string;
  /** The object's label. */
  readonly object?: string;
  /** The object's id, `CKA_ID`: bytes. */
  readonly id?: Uint8Array;
  readonly type?: "private" | "public" | "cert";
}

/** A PKCS#11 URI (RFC 7512), as far as keys and certificates need it. */
export interface Pkcs11Uri {
  readonly path: Pkcs11Path;
  /** The library that talks to the token, as an absolute path. */
  readonly modulePath?: string;
  /** The library by its name, without `lib` before and `.so` after it. */
  readonly moduleName?: string;
  readonly pinSource?: PinSource;
  readonly pinValue?: Secret;
}

/** What a setting that takes such a URI expects. */
export const pkcs11UriExpects =
  'a PKCS#11 URI of token, manufacturer, model, serial, object, id and type, such as "pkcs11:token=device;object=key?pin-source=file:/etc/landfall/pin"';

const pathText = /^(?:[A-Za-z0-9\-._~:[\]@!$'()*+,=&]|%[0-9A-Fa-f]{2})*$/;
const queryText = /^(?:[A-Za-z0-9\-._~:[\]@!$'()*+,=/?|]|%[0-9A-Fa-f]{2})*$/;

/** Whether a text means to be a PKCS#11 URI. */
export function isPkcs11Uri(text: string): boolean {
  return /^pkcs11:/i.test(text);
}

/** Reads a PKCS#11 URI. A problem never repeats any value, because one of them may be the PIN. */
export function parsePkcs11Uri(text: string): Parsed<Pkcs11Uri> {
  if (!isPkcs11Uri(text)) return problem("another text");
  const [path = "", ...query] = text.slice("pkcs11:".length).split("?");
  const pathParts = readParts(path.split(";"), pathText);
  if (typeof pathParts === "string") return problem(pathParts);
  const queryParts = readParts(query.join("?").split("&"), queryText);
  if (typeof queryParts === "string") return problem(queryParts);
  const place = readPath(pathParts);
  if (typeof place === "string") return problem(place);
  if (Object.keys(place).every((name) => name === "type")) return problem("a URI that names neither token nor object");
  const rest = readQuery(queryParts);
  return typeof rest === "string" ? problem(rest) : { value: { path: place, ...rest } };
}

/** The URI without any PIN, for people and for logs. */
export function shownPkcs11Uri({ path, modulePath, moduleName, pinSource }: Pkcs11Uri): string {
  const query = [
    ...(modulePath === undefined ? [] : [`module-path=${escapePath(modulePath)}`]),
    ...(moduleName === undefined ? [] : [`module-name=${escapeText(moduleName)}`]),
    ...(pinSource === undefined ? [] : [`pin-source=${escapePath(describe(pinSource))}`]),
  ].join("&");
  return `pkcs11:${formatPkcs11Path(path)}${query === "" ? "" : `?${query}`}`;
}

/** The attributes before the question mark, as the URI writes them. */
export function formatPkcs11Path(path: Pkcs11Path): string {
  return Object.entries(path)
    .map(([name, value]) => `${name}=${typeof value === "string" ? escapeText(value) : escapeBytes(value)}`)
    .join(";");
}

function describe(source: PinSource): string {
  return source.kind === "file" ? `file:${source.file}` : `env:${source.variable}`;
}

/** The attributes by name, still escaped; or, in words, what is wrong with them. */
function readParts(parts: readonly string[], allowed: RegExp): ReadonlyMap<string, string> | string {
  const found = new Map<string, string>();
  for (const part of parts.filter((each) => each !== "")) {
    const at = part.indexOf("=");
    const name = part.slice(0, Math.max(at, 0));
    if (!/^[a-z][a-z0-9-]*$/.test(name)) return "an attribute that is not name=value";
    if (found.has(name)) return `the attribute ${name} twice`;
    const value = part.slice(at + 1);
    if (!allowed.test(value)) return `a character in ${name} that has to be written as %XX`;
    found.set(name, value);
  }
  return found;
}

const texts = ["token", "manufacturer", "model", "serial", "object"] as const;
const types: readonly string[] = ["private", "public", "cert"];

function readPath(parts: ReadonlyMap<string, string>): Pkcs11Path | string {
  const path: Record<string, string | Uint8Array> = {};
  for (const [name, escaped] of parts) {
    const bytes = bytesOf(escaped);
    if (name === "id") {
      path.id = bytes;
    } else if (name === "type") {
      if (!types.includes(escaped)) return "a type other than private, public and cert";
      path.type = escaped;
    } else if ((texts as readonly string[]).includes(name)) {
      const text = textOf(bytes);
      if (text === undefined) return `a value of ${name} that is not UTF-8, or holds a zero`;
      path[name] = text;
    } else {
      return `the attribute ${name}, which is not supported`;
    }
  }
  return path;
}

function readQuery(parts: ReadonlyMap<string, string>): Omit<Pkcs11Uri, "path"> | string {
  const texts = new Map<string, string>();
  for (const [name, escaped] of parts) {
    const text = textOf(bytesOf(escaped));
    if (text === undefined) return `a value of ${name} that is not UTF-8, or holds a zero`;
    if (!["module-path", "module-name", "pin-source", "pin-value"].includes(name)) {
      return `the attribute ${name}, which is not supported`;
    }
    texts.set(name, text);
  }
  const [modulePath, moduleName] = [texts.get("module-path"), texts.get("module-name")];
  const [source, pinValue] = [texts.get("pin-source"), texts.get("pin-value")];
  if (modulePath !== undefined && !modulePath.startsWith("/")) return "a module-path that is not absolute";
  if (moduleName !== undefined && !/^[A-Za-z0-9._+-]+$/.test(moduleName)) return "a module-name that is not a name";
  if (source !== undefined && pinValue !== undefined) return "both pin-source and pin-value";
  const pinSource = source === undefined ? undefined : readPinSource(source);
  if (source !== undefined && pinSource === undefined) {
    return "a pin-source other than file:/absolute/path and env:NAME";
  }
  return {
    ...(modulePath === undefined ? {} : { modulePath }),
    ...(moduleName === undefined ? {} : { moduleName }),
    ...(pinSource === undefined ? {} : { pinSource }),
    ...(pinValue === undefined ? {} : { pinValue: new Secret(pinValue) }),
  };
}

function readPinSource(text: string): PinSource | undefined {
  const file = /^(?:file:(?:\/\/(?:localhost)?)?)?(\/[^/].*)$/s.exec(text)?.[1];
  if (file !== undefined) return { kind: "file", file };
  const variable = /^env:([A-Za-z_][A-Za-z0-9_]*)$/.exec(text)?.[1];
  return variable === undefined ? undefined : { kind: "environment", variable };
}

function problem(found: string): { readonly problem: { readonly expected: string; readonly found: string } } {
  return { problem: { expected: pkcs11UriExpects, found } };
}

function bytesOf(escaped: string): Uint8Array {
  const bytes = escaped.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Uint8Array.from(Buffer.from(bytes, "latin1"));
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

function escapeText(text: string): string {
  return escapeBytes(new TextEncoder().encode(text));
}

/** After the question mark, the characters of paths mean nothing else. */
function escapePath(text: string): string {
  return escapeText(text).replaceAll("%2F", "/").replaceAll("%3A", ":");
}

function escapeBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9\-._~]/.test(character) ? character : `%${byte.toString(16).padStart(2, "0").toUpperCase()}`;
  }).join("");
}
