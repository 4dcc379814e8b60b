/* DER (ITU-T X.690), as much of it as requests and key files need. */

/** Tags of what is written and read here. */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element: tag, length, content. */
export function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const length = body.length < 0x80 ? Buffer.of(body.length) : longLength(body.length);
  return Buffer.concat([Buffer.of(tag), length, body]);
}

/** A sequence of elements. */
export function derSequence(...elements: readonly Uint8Array[]): Buffer {
  return der(derTag.sequence, ...elements);
}

/** An object identifier out of its numbers: `derObjectIdentifier(1, 2, 840, …)`. */
export function derObjectIdentifier(first: number, second: number, ...rest: readonly number[]): Buffer {
  return der(derTag.objectIdentifier, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** A whole number, not negative. */
export function derInteger(value: number): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return der(derTag.integer, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}

/** A string of whole bytes as a bit string. */
export function derBitString(bytes: Uint8Array): Buffer {
  return der(derTag.bitString, Buffer.of(0), bytes);
}

/** An element that was read. */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
}

/**
 * The elements that stand in `bytes`, one after the other. Throws a `RangeError` for a length that reaches beyond the end or
 * is not written in the shortest form, and for tags of more than one byte.
 */
export function readDer(bytes: Uint8Array): readonly DerElement[] {
  const elements: DerElement[] = [];
  let rest = Buffer.from(bytes);
  while (rest.length > 0) {
    const [tag = 0, first = -1] = rest;
    if ((tag & 0x1f) === 0x1f || first < 0) throw new RangeError("an element without tag or length");
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (first === 0x80 || lengthBytes > 3 || rest.length < 2 + lengthBytes)
      throw new RangeError("a length of another form");
    const length = lengthBytes === 0 ? first : rest.readUIntBE(2, lengthBytes);
    if (lengthBytes > 0 && length < Math.max(0x80, 256 ** (lengthBytes - 1)))
      throw new RangeError("a length in too many bytes");
    const start = 2 + lengthBytes;
    if (rest.length < start + length) throw new RangeError("an element that is cut off");
    elements.push({ tag, content: Buffer.from(rest.subarray(start, start + length)) });
    rest = rest.subarray(start + length);
  }
  return elements;
}

function longLength(length: number): Buffer {
  const bytes: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

function base128(value: number): readonly number[] {
  const bytes = [value % 128];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) bytes.unshift((left % 128) | 0x80);
  return bytes;
}
