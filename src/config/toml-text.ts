/** What can be written as a TOML value here: all of JSON but null. */
export type TomlValue = string | number | boolean | readonly TomlValue[] | { readonly [key: string]: TomlValue };

/** A key as TOML writes it: bare where it can be, quoted elsewhere. */
export function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : tomlString(key);
}

/** A dotted path of keys, with array indexes in brackets: `methods."say it".command[0]`. */
export function tomlPath(steps: readonly (string | number)[]): string {
  return steps
    .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index === 0 ? "" : "."}${tomlKey(step)}`))
    .join("");
}

/** A value on one line; tables are written inline. */
export function tomlValue(value: TomlValue): string {
  if (typeof value === "string") return tomlString(value);
  if (typeof value === "number") return tomlNumber(value);
  if (typeof value === "boolean") return String(value);
  if (isArray(value)) return `[${value.map(tomlValue).join(", ")}]`;
  const members = Object.entries(value).map(([key, member]) => `${tomlKey(key)} = ${tomlValue(member)}`);
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}

/** A basic string. JSON's escapes are TOML's as well, but TOML has no bare DEL and no lone surrogates. */
function tomlString(text: string): string {
  return JSON.stringify(text.replace(/\p{Surrogate}/gu, "\ufffd")).replaceAll("\u007f", "\\u007f");
}

/** Integers beyond 2^53 are written as floats, because TOML readers refuse integers that they would have to round. */
function tomlNumber(value: number): string {
  if (Number.isSafeInteger(value)) return Object.is(value, -0) ? "-0.0" : String(value);
  const text = String(value).replace("Infinity", "inf").replace("NaN", "nan");
  return /[.einf]/.test(text) ? text : `${text}.0`;
}

function isArray(value: TomlValue): value is readonly TomlValue[] {
  return Array.isArray(value);
}
