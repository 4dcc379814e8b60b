import type { ErrorCode } from "../errors.ts";
import { Secret } from "../secret.ts";

/** One thing that is wrong with a configuration. No part of it holds a secret. */
export interface Fault {
  /** Where, as TOML writes it: `hub.keep_alive`, `network.connect_to[1]`. */
  readonly path: string;
  /** Fits after "expected". */
  readonly expected: string;
  /** Fits after "found". */
  readonly found: string;
  /** What the reader may have meant, or can do. */
  readonly hint?: string;
  /** The error code whose remedy applies, where it is another one than `config.invalid`. */
  readonly code?: ErrorCode;
}

/** A fault on one line. */
export function faultLine({ path, expected, found, hint, code }: Fault): string {
  const line = `${path === "" ? "the configuration" : path}: expected ${expected}; found ${found}`;
  return `${line}${hint === undefined ? "" : `; ${hint}`}${code === undefined ? "" : ` (${code})`}`;
}

const longestShown = 80;

/** A found value in words, for settings that hold no secret: texts and numbers as they are, everything else by its type. */
export function shown(value: unknown): string {
  if (typeof value === "string") {
    return value.length > longestShown ? `a text of ${value.length} characters` : JSON.stringify(value);
  }
  return typeof value === "number" || typeof value === "boolean" ? String(value) : typeShown(value);
}

/** A found value by its type and length only. */
export function typeShown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (typeof value === "string") return `a text of ${count(value.length, "character")}`;
  if (Array.isArray(value)) return `an array of ${count(value.length, "value")}`;
  if (value instanceof Date) return "a date";
  if (value instanceof Secret) return "a secret";
  if (typeof value === "object") return isTable(value) ? "a table" : "an object";
  return `a ${typeof value}`;
}

/** A table of TOML, or a plain object that stands for one. */
export type RawTable = Readonly<Record<string, unknown>>;

/** Whether `value` is a plain object: neither an array nor an instance of some class. */
export function isTable(value: unknown): value is RawTable {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}
