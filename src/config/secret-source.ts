import { Secret } from "../secret.ts";
import { isTable, typeShown } from "./fault.ts";
import type { Parsed, Sourced } from "./file-reference.ts";
import { type Location, locate } from "./location.ts";
import type { Place } from "./place.ts";
import type { Kind } from "./schema.ts";

/**
 * How a secret may be written: `{ value = "…" }`, `{ uri = "file:///…" }`, `{ env = "NAME" }`, or one text that is
 * `file:///…`, `env:NAME` or the secret itself. Programs may pass a {@link Secret}.
 */
export type SecretInput =
  | string
  | Secret
  | { readonly value: string }
  | { readonly uri: string }
  | { readonly env: string };

/** What a {@link secret} must be like. */
export interface SecretForm<T> {
  /** What the secret is; fits after "expected". */
  readonly expects: string;
  /** The meaning of the text, wherever it came from. A problem must not repeat the text. */
  readonly parse: (text: string) => Parsed<T>;
  /** The text that a file holds. Default: UTF-8 without the line end at its end. */
  readonly textOf?: (content: Buffer) => string;
  /** Whether an inline text is worth protecting; the configuration file's mode is checked then. Default: always. */
  readonly isSensitive?: (text: string) => boolean;
}

const writtenAs =
  'given as { value = "…" }, { uri = "file:///…" }, { env = "NAME" }, "file:///…", "env:NAME" or the text itself';

/** A secret, in any of the forms of {@link SecretInput}. What was found is told by type and length only. */
export function secret<T>(form: SecretForm<T>): Kind<Sourced<T>, SecretInput> {
  const expected = `${form.expects}, ${writtenAs}`;
  return {
    expects: form.expects,
    writtenAs,
    read(value, at) {
      if (value instanceof Secret) return readText(value.reveal(), form, at);
      if (typeof value === "string") return readLocated(value, locate(value), form, at);
      if (!isTable(value)) return at.fault({ expected, found: typeShown(value) });
      return readTable(value, form, at);
    },
  };
}

function readTable<T>(
  table: Readonly<Record<string, unknown>>,
  form: SecretForm<T>,
  at: Place,
): Sourced<T> | undefined {
  const keys = Object.keys(table).filter((key) => table[key] !== undefined);
  const [key = ""] = keys;
  if (keys.length !== 1 || !["value", "uri", "env"].includes(key)) {
    const found = keys.length === 1 ? "a table with another key" : `a table with ${keys.length} keys`;
    return at.fault({ expected: "a table with exactly one of value, uri and env", found });
  }
  const member = at.at(key);
  const text = table[key];
  if (typeof text !== "string") return member.fault({ expected: "a text", found: typeShown(text) });
  if (key === "value") return readLocated(text, { kind: "plain" }, form, member);
  if (key === "env") return readLocated(text, { kind: "environment", variable: text }, form, member);
  const location = locate(text);
  if (location.kind === "file" || location.kind === "unreachable") return readLocated(text, location, form, member);
  return member.fault({ expected: "a file:/// URI", found: typeShown(text) });
}

function readLocated<T>(text: string, location: Location, form: SecretForm<T>, at: Place): Sourced<T> | undefined {
  switch (location.kind) {
    case "unreachable":
      return at.fault({ expected: form.expects, ...location.problem });
    case "environment":
      return readVariable(location.variable, form, at);
    case "file": {
      const { textOf = withoutLineEnd, parse } = form;
      return at.refer({ file: location.file, isPrivate: true, parse: (content) => parse(textOf(content)) });
    }
    case "plain":
      if (form.isSensitive?.(text) ?? true) at.findings.holdsSecret = true;
      return known(form.parse(text), at);
  }
}

function readVariable<T>(name: string, form: SecretForm<T>, at: Place): Sourced<T> | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return at.fault({ expected: "the name of an environment variable", found: typeShown(name) });
  }
  const text = at.surroundings.env[name];
  if (text !== undefined && text !== "") return known(form.parse(text), at);
  // A name in capitals is repeated. Anything else may be the secret itself, written here by mistake.
  const variable = /^[A-Z0-9_]{1,64}$/.test(name)
    ? `environment variable ${name}`
    : "environment variable that it names";
  const found = text === undefined ? "that it is not set" : "that it is empty";
  return at.fault({ expected: `a value in the ${variable}`, found, code: "config.secret-unreadable" });
}

function readText<T>(text: unknown, form: SecretForm<T>, at: Place): Sourced<T> | undefined {
  if (typeof text === "string") return known(form.parse(text), at);
  return at.fault({ expected: `${form.expects} as a text`, found: "a secret of another type" });
}

function known<T>(result: Parsed<T>, at: Place): Sourced<T> | undefined {
  return "value" in result ? { kind: "known", value: result.value } : at.fault(result.problem);
}

function withoutLineEnd(content: Buffer): string {
  return content.toString("utf8").replace(/\r?\n$/, "");
}
