import type { Value } from "./value.ts";

const major = { unsigned: 0x00, negative: 0x20, bytes: 0x40, text: 0x60, array: 0x80 };
const simple = { false: 0xf4, true: 0xf5, null: 0xf6, double: 0xfb };

/** A map that does not tell beforehand how many names it has, as firmware writes it that composes while it goes. */
const openMap = 0xbf;
const end = 0xff;

/** One CBOR item: maps of indefinite length, everything else definite, fractions in double precision. */
export function encodeCbor(value: Value): Buffer {
  const parts: Uint8Array[] = [];
  put(value, parts);
  return Buffer.concat(parts);
}

function put(value: Value, parts: Uint8Array[]): void {
  if (value === null) parts.push(Uint8Array.of(simple.null));
  else if (typeof value === "boolean") parts.push(Uint8Array.of(value ? simple.true : simple.false));
  else if (typeof value === "number" || typeof value === "bigint") putNumber(value, parts);
  else if (typeof value === "string") putText(value, parts);
  else if (value instanceof Uint8Array) parts.push(head(major.bytes, value.length), value);
  else if (Array.isArray(value)) {
    parts.push(head(major.array, value.length));
    for (const each of value as readonly Value[]) put(each, parts);
  } else {
    parts.push(Uint8Array.of(openMap));
    for (const [name, each] of Object.entries(value)) {
      putText(name, parts);
      put(each, parts);
    }
    parts.push(Uint8Array.of(end));
  }
}

function putText(text: string, parts: Uint8Array[]): void {
  const bytes = Buffer.from(text, "utf8");
  parts.push(head(major.text, bytes.length), bytes);
}

function putNumber(value: number | bigint, parts: Uint8Array[]): void {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    const double = Buffer.alloc(9);
    double[0] = simple.double;
    double.writeDoubleBE(value, 1);
    parts.push(double);
  } else if (value >= 0) parts.push(head(major.unsigned, value));
  else parts.push(head(major.negative, -1n - BigInt(value)));
}

/** Kind and argument, in as few bytes as will do. */
function head(kind: number, argument: number | bigint): Buffer {
  if (argument < 24) return Buffer.of(kind | Number(argument));
  const bytes = argument < 0x100 ? 1 : argument < 0x10000 ? 2 : argument < 0x1_0000_0000 ? 4 : 8;
  const whole = Buffer.alloc(1 + bytes);
  whole[0] = kind | (24 + Math.log2(bytes));
  if (bytes === 8) whole.writeBigUInt64BE(BigInt(argument), 1);
  else whole.writeUIntBE(Number(argument), 1, bytes);
  return whole;
}
