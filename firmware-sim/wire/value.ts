/** What one CBOR item can be on this line. Integers beyond 2^53 are bigint. */
export type Value = null | boolean | number | bigint | string | Uint8Array | readonly Value[] | Body;

/** A map with text keys: what every packet carries. */
export interface Body {
  readonly [name: string]: Value;
}

/** Whether a value is a map. */
export function isBody(value: Value | undefined): value is Body {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
