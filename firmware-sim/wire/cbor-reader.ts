import { type Body, isBody, type Value } from "./value.ts";

/** Deeper than anything that is said on this line. */
const deepest = 16;

const indefinite = Symbol("indefinite");

/** Reads exactly one CBOR item; undefined when the bytes are none, or more. */
export function decodeCbor(bytes: Uint8Array): Value | undefined {
  const reader = new Reader(bytes);
  try {
    const value = reader.item(0);
    return reader.atEnd ? value : undefined;
  } catch (error) {
    if (error instanceof NotCbor) return undefined;
    throw error;
  }
}

/** Reads exactly one map; undefined when the bytes are none. */
export function decodeBody(bytes: Uint8Array): Body | undefined {
  const value = decodeCbor(bytes);
  return isBody(value) ? value : undefined;
}

class NotCbor extends Error {}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  item(depth: number): Value {
    if (depth > deepest) throw new NotCbor();
    const initial = this.#byte();
    const kind = initial >> 5;
    if (kind === 7) return this.#simple(initial & 31);
    const argument = this.#argument(initial & 31);
    switch (kind) {
      case 0:
        return integer(definite(argument));
      case 1:
        return integer(-1n - definite(argument));
      case 2:
        return Uint8Array.from(this.#take(definite(argument)));
      case 3:
        return this.#take(definite(argument)).toString("utf8");
      case 4:
        return this.#array(argument, depth);
      case 5:
        return this.#map(argument, depth);
      default:
        throw new NotCbor(); // tags mean nothing here
    }
  }

  #array(length: bigint | typeof indefinite, depth: number): Value[] {
    const items: Value[] = [];
    for (let index = 0n; this.#more(index, length); index++) items.push(this.item(depth + 1));
    return items;
  }

  #map(length: bigint | typeof indefinite, depth: number): Body {
    const entries: [string, Value][] = [];
    for (let index = 0n; this.#more(index, length); index++) {
      const name = this.item(depth + 1);
      if (typeof name !== "string") throw new NotCbor();
      entries.push([name, this.item(depth + 1)]);
    }
    return Object.fromEntries(entries);
  }

  /** Whether an array or map goes on; passes over the break that ends one of indefinite length. */
  #more(index: bigint, length: bigint | typeof indefinite): boolean {
    if (length !== indefinite) return index < length;
    if (this.#bytes[this.#at] !== 0xff) return true;
    this.#at += 1;
    return false;
  }

  #simple(argument: number): Value {
    switch (argument) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
        return null;
      case 25:
        return halfPrecision(this.#take(2n).readUInt16BE(0));
      case 26:
        return this.#take(4n).readFloatBE(0);
      case 27:
        return this.#take(8n).readDoubleBE(0);
      default:
        throw new NotCbor();
    }
  }

  #argument(short: number): bigint | typeof indefinite {
    if (short < 24) return BigInt(short);
    if (short === 31) return indefinite;
    if (short > 27) throw new NotCbor();
    const bytes = this.#take(BigInt(1 << (short - 24)));
    return bytes.length === 8 ? bytes.readBigUInt64BE(0) : BigInt(bytes.readUIntBE(0, bytes.length));
  }

  #byte(): number {
    return this.#take(1n)[0] as number;
  }

  #take(length: bigint): Buffer {
    if (length > BigInt(this.#bytes.length - this.#at)) throw new NotCbor();
    const from = this.#at;
    this.#at += Number(length);
    return this.#bytes.subarray(from, this.#at);
  }
}

function definite(argument: bigint | typeof indefinite): bigint {
  if (argument === indefinite) throw new NotCbor();
  return argument;
}

function integer(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function halfPrecision(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
