/** What a packet is for. A response to an operation carries the number one higher. */
export const operations = ["read", "read-response", "write", "write-response"] as const;

/** See {@link operations}. */
export type SmpOperation = (typeof operations)[number];

/** Bytes before the body. */
export const headerBytes = 8;

/** A packet of SMP, its body still in CBOR. */
export interface SmpPacket {
  /** 1 or 2; a response has the version of its request. */
  readonly version: number;
  readonly operation: SmpOperation;
  /** 0 to 65535; from 64 on they are an application's own. */
  readonly group: number;
  /** 0 to 255; a response has that of its request. */
  readonly sequence: number;
  /** 0 to 255, within the group. */
  readonly command: number;
  readonly body: Uint8Array;
}

/** The packet as bytes: a header of {@link headerBytes}, big endian, and the body. */
export function encodePacket({ version, operation, group, sequence, command, body }: SmpPacket): Uint8Array {
  const packet = Buffer.alloc(headerBytes + body.length);
  packet[0] = ((version - 1) << 3) | operations.indexOf(operation);
  packet.writeUInt16BE(body.length, 2);
  packet.writeUInt16BE(group, 4);
  packet[6] = sequence;
  packet[7] = command;
  packet.set(body, headerBytes);
  return packet;
}

/** Reads a packet; undefined when it is none: too short, of another length than it says, an operation nobody knows. */
export function decodePacket(bytes: Uint8Array): SmpPacket | undefined {
  if (bytes.length < headerBytes) return undefined;
  const packet = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const operation = operations[(packet[0] as number) & 0x07];
  const body = packet.subarray(headerBytes);
  if (operation === undefined || packet.readUInt16BE(2) !== body.length) return undefined;
  return {
    version: (((packet[0] as number) >> 3) & 0x03) + 1,
    operation,
    group: packet.readUInt16BE(4),
    sequence: packet[6] as number,
    command: packet[7] as number,
    body,
  };
}
