import type * as Cborg from "cborg";

/** What CBOR says between landfall and an MCU. Integers beyond 2^53 are bigint, so that none is changed on its way. */
export type CborValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly CborValue[]
  | { readonly [name: string]: CborValue };

/** The body of every message. */
export type CborMap = { readonly [name: string]: CborValue };

/** Turns values into CBOR and back. */
export interface CborCodec {
  /** Definite lengths, the order of names kept, floats in double precision: what the smallest decoders read. */
  encode(value: CborValue): Uint8Array;
  /** Takes definite and indefinite lengths. Throws when the bytes are not exactly one item, or repeat a name. */
  decode(bytes: Uint8Array): CborValue;
  /** As `decode`; throws also when the item is not a map. */
  decodeMap(bytes: Uint8Array): CborMap;
}

/** Loads the codec: only those who have an MCU pay for it. */
export async function loadCbor(): Promise<CborCodec> {
  return codecOver(await import("cborg"));
}

function codecOver({ encode, decode }: typeof Cborg): CborCodec {
  const decodeItem = (bytes: Uint8Array): CborValue =>
    // A plain array: a Buffer would give its own kind for byte strings, which compares and prints in another way.
    decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
      allowUndefined: false,
      rejectDuplicateMapKeys: true,
    }) as CborValue;
  return {
    encode: (value) => encode(value, { float64: true, mapSorter: undefined as never }),
    decode: decodeItem,
    decodeMap: (bytes) => {
      const value = decodeItem(bytes);
      if (!isCborMap(value)) throw new TypeError(`expected a map, got ${describeCbor(value)}`);
      return value;
    },
  };
}

/** Whether a value is a map. */
export function isCborMap(value: CborValue | undefined): value is CborMap {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** What kind of value it is, for messages. */
export function describeCbor(value: CborValue | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "a map";
  return typeof value === "string" ? "a text" : `${value}`;
}
