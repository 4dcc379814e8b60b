import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeFrames, framedBytes, longestLineBytes, longestPacketBytes } from "../../../src/serial/console-frames.ts";
import { crc16 } from "../../../src/serial/crc16.ts";
import { FrameReader, type FrameReaderOptions } from "../../../src/serial/frame-reader.ts";
import { fromHex, smpVectors, toHex } from "./smp-vectors.ts";

function read(chunks: readonly Uint8Array[], options?: FrameReaderOptions) {
  const packets: string[] = [];
  const text: string[] = [];
  const sink = {
    onPacket: (packet: Uint8Array) => void packets.push(toHex(packet)),
    onText: (line: string) => void text.push(line),
  };
  const reader = new FrameReader(sink, options);
  for (const chunk of chunks) reader.push(chunk);
  return { packets, text, damage: reader.damage };
}

const ascii = (text: string): Uint8Array => Buffer.from(text, "latin1");
const packets = fc.uint8Array({ minLength: 8, maxLength: 600 });

describe("the CRC of a packet", () => {
  test.each(smpVectors.crc)("$name", ({ hex, crc }) => {
    expect(crc16(fromHex(hex))).toBe(Number.parseInt(crc, 16));
  });
});

describe("a packet as lines", () => {
  test.each(smpVectors.frames)("$name", ({ packet, lines }) => {
    expect(toHex(encodeFrames(fromHex(packet)))).toBe(lines.join(""));
    expect(framedBytes(packet.length / 2)).toBe(lines.join("").length / 2);
  });

  test("no line is longer than receivers take", () => {
    fc.assert(
      fc.property(packets, (packet) => {
        const lines = Buffer.from(encodeFrames(packet))
          .toString("latin1")
          .split(/(?<=\n)/);
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(longestLineBytes);
      }),
    );
  });

  test("refuses a packet whose length could not be told", () => {
    expect(() => encodeFrames(new Uint8Array(longestPacketBytes + 1))).toThrow(/at most 65533 bytes, got 65534/);
  });
});

describe("a reader of frames", () => {
  test.each(smpVectors.received)("$name", ({ wire, packets }) => {
    expect(read([fromHex(wire)]).packets).toEqual(packets);
  });

  test.each(smpVectors.received)("$name: cut in two at every byte, and into single bytes", ({ wire, packets }) => {
    const bytes = fromHex(wire);
    for (let at = 0; at <= Math.min(bytes.length, 700); at++) {
      expect(read([bytes.subarray(0, at), bytes.subarray(at)]).packets).toEqual(packets);
    }
    expect(read([...bytes].map((byte) => Uint8Array.of(byte))).packets).toEqual(packets);
  });

  test("reads back whatever was written, log text between all the lines", () => {
    fc.assert(
      fc.property(fc.array(packets, { maxLength: 4 }), fc.string({ unit: "grapheme-ascii" }), (sent, log) => {
        const wire = sent.flatMap((packet) => [ascii(`${log}\r\n`), encodeFrames(packet)]);
        expect(read([Buffer.concat(wire)]).packets).toEqual(sent.map(toHex));
      }),
    );
  });

  test("never makes a packet of noise, and finds the next one behind it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), packets, (noise, packet) => {
        const found = read([noise, ascii("\n"), encodeFrames(packet)]).packets;
        expect(found).toEqual([toHex(packet)]);
      }),
    );
  });

  test("takes both pieces of a packet although the line end between them was lost", () => {
    const packet = new Uint8Array(128).fill(7);
    const wire = Buffer.from(encodeFrames(packet));
    const joined = Buffer.concat([wire.subarray(0, 126), wire.subarray(127)]);
    expect(read([joined]).packets).toEqual([toHex(packet)]);
  });

  test("takes lines that end as terminals want it", () => {
    const packet = new Uint8Array(9).fill(1);
    const wire = Buffer.from(encodeFrames(packet)).toString("latin1").replaceAll("\n", "\r\n");
    expect(read([ascii(wire)]).packets).toEqual([toHex(packet)]);
  });

  test("hands on the text between, without markers and line ends", () => {
    const wire = [
      ascii("boot\r\n\r\nuart:~$ "),
      encodeFrames(new Uint8Array(8)),
      Buffer.from("21 °C\n"),
      ascii("half"),
    ];
    expect(read(wire).text).toEqual(["boot", "uart:~$", "21 °C"]);
  });

  test("drops a packet that is longer than it puts together, at its first piece", () => {
    const packet = new Uint8Array(8);
    const wire = [encodeFrames(new Uint8Array(1000)), encodeFrames(packet)];
    const { packets, damage } = read(wire, { maxPacketBytes: 999 });
    expect(packets).toEqual([toHex(packet)]);
    expect(damage.packets).toBe(1);
  });

  test("counts what it drops", () => {
    const damaged = Buffer.from(encodeFrames(new Uint8Array(8)));
    damaged[5] = (damaged[5] as number) ^ 2;
    expect(read([damaged, ascii("\x06\x09***\n\x04\x14AAAA\n")]).damage).toEqual({ packets: 1, lines: 2 });
  });
});
