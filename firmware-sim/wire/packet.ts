import { decodeBody } from "./cbor-reader.ts";
import { encodeCbor } from "./cbor-writer.ts";
import type { Body } from "./value.ts";

/** SMP's operations; an answer is its request's plus one. */
export const operation = { read: 0, readAnswer: 1, write: 2, writeAnswer: 3 } as const;

/** What stands before the map, 8 bytes, big endian. */
export interface PacketHeader {
  /** 0 is version 1, 1 is version 2. */
  readonly version: number;
  /** One of {@link operation}; up to 7 on the line. */
  readonly operation: number;
  readonly group: number;
  readonly sequence: number;
  readonly command: number;
}

/** A packet as it came in. */
export interface Packet extends PacketHeader {
  /** Undefined when what it carries is not a map. */
  readonly body: Body | undefined;
}

const headerBytes = 8;

/** Takes a packet apart; undefined when it is shorter than a header or not as long as it says. */
export function parsePacket(bytes: Uint8Array): Packet | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headerBytes || view.getUint16(2) !== bytes.length - headerBytes) return undefined;
  const first = view.getUint8(0);
  const carried = bytes.subarray(headerBytes);
  return {
    version: (first >> 3) & 3,
    operation: first & 7,
    group: view.getUint16(4),
    sequence: view.getUint8(6),
    command: view.getUint8(7),
    // Some clients send no map at all where there is nothing to say.
    body: carried.length === 0 ? {} : decodeBody(carried),
  };
}

/** Puts a packet together. */
export function composePacket({ version, operation: op, group, sequence, command }: PacketHeader, body: Body): Buffer {
  const carried = encodeCbor(body);
  const header = Buffer.of((version << 3) | op, 0, 0, 0, 0, 0, sequence, command);
  header.writeUInt16BE(carried.length, 2);
  header.writeUInt16BE(group, 4);
  return Buffer.concat([header, carried]);
}
