import { crc16 } from "./crc16.ts";

/*
 * A packet on a console that also carries log lines:
 *
 *   length (2) | packet | CRC (2)        length = bytes behind it; big endian
 *   └─ cut into pieces of up to 93 bytes, each in base64 on a line of its own:
 *        06 09 ABAKAAAGAABCAKFhZGJo…\n   first
 *        04 14 aZsK…\n                   every other
 */

/** Begins the line of a packet's first piece. */
export const firstMarker: readonly [number, number] = [0x06, 0x09];

/** Begins the line of every other piece. */
export const nextMarker: readonly [number, number] = [0x04, 0x14];

/** Ends a line. */
export const lineEnd = 0x0a;

/** Longest line that every receiver takes, marker and line end included. */
export const longestLineBytes = 127;

/** Bytes before base64 that fill a line: 124 characters of it beside marker and line end. */
export const fullPieceBytes = 93;

/** Length and CRC around a packet. They share the receiver's buffer with it. */
export const packetOverheadBytes = 4;

/** Longest packet whose length can be told. */
export const longestPacketBytes = 0xffff - 2;

/** A packet as the lines that carry it, in one buffer. Throws RangeError for one longer than {@link longestPacketBytes}. */
export function encodeFrames(packet: Uint8Array): Uint8Array {
  if (packet.length > longestPacketBytes) {
    throw new RangeError(`expected a packet of at most ${longestPacketBytes} bytes, got ${packet.length}`);
  }
  const whole = Buffer.alloc(packet.length + packetOverheadBytes);
  whole.writeUInt16BE(packet.length + 2, 0);
  whole.set(packet, 2);
  whole.writeUInt16BE(crc16(packet), packet.length + 2);
  const lines: Buffer[] = [];
  for (let from = 0; from < whole.length; ) {
    const to = pieceEnd(from, whole.length);
    lines.push(Buffer.from(from === 0 ? firstMarker : nextMarker));
    lines.push(Buffer.from(`${whole.toString("base64", from, to)}\n`, "latin1"));
    from = to;
  }
  return Buffer.concat(lines);
}

/** How many bytes of line a packet takes. */
export function framedBytes(packetBytes: number): number {
  const whole = packetBytes + packetOverheadBytes;
  let line = 0;
  for (let from = 0; from < whole; ) {
    const to = pieceEnd(from, whole);
    line += 3 + 4 * Math.ceil((to - from) / 3);
    from = to;
  }
  return line;
}

/** Some receivers want both bytes of the CRC on one line. */
function pieceEnd(from: number, whole: number): number {
  const end = Math.min(from + fullPieceBytes, whole);
  return end === whole - 1 ? end - 1 : end;
}
