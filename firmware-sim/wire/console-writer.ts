import { crc16 } from "./crc16.ts";

/** What a line carries before base64: 124 characters of it, marker and line end make 127 bytes, the longest line there is. */
const bytesPerLine = 93;

/**
 * A packet as the lines of a console: `length (2) | packet | CRC (2)`, big endian, in pieces of base64. The first line
 * begins with 06 09, further ones with 04 14. The two bytes of the CRC stay together, as some receivers want it.
 */
export function consoleLines(packet: Uint8Array): Buffer[] {
  const whole = Buffer.alloc(packet.length + 4);
  whole.writeUInt16BE(packet.length + 2, 0);
  whole.set(packet, 2);
  whole.writeUInt16BE(crc16(packet), packet.length + 2);
  const lines: Buffer[] = [];
  let rest = whole;
  while (rest.length > 0) {
    const count = rest.length === bytesPerLine + 1 ? bytesPerLine - 1 : bytesPerLine;
    const marker = lines.length === 0 ? "\x06\x09" : "\x04\x14";
    lines.push(Buffer.from(`${marker}${rest.subarray(0, count).toString("base64")}\n`, "latin1"));
    rest = rest.subarray(count);
  }
  return lines;
}
