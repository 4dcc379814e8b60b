import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBody } from "../../../firmware-sim/wire/cbor-reader.ts";
import { encodeCbor } from "../../../firmware-sim/wire/cbor-writer.ts";
import { ConsoleReader } from "../../../firmware-sim/wire/console-reader.ts";
import { consoleLines } from "../../../firmware-sim/wire/console-writer.ts";
import { crc16 } from "../../../firmware-sim/wire/crc16.ts";
import { composePacket, parsePacket } from "../../../firmware-sim/wire/packet.ts";
import type { Body } from "../../../firmware-sim/wire/value.ts";
import { fromHex, smpVectors, toHex, vectorValue } from "../serial/smp-vectors.ts";

const operations = ["read", "read-response", "write", "write-response"];

function read(wire: readonly Uint8Array[], capacity = 2048) {
  const packets: string[] = [];
  let dropped = 0;
  const reader = new ConsoleReader(capacity, {
    onPacket: (packet) => void packets.push(toHex(packet)),
    onDropped: () => {
      dropped += 1;
    },
  });
  for (const chunk of wire) reader.take(chunk);
  return { packets, dropped };
}

describe("the simulator's CRC", () => {
  test.each(smpVectors.crc)("$name", ({ hex, crc }) => {
    expect(crc16(fromHex(hex))).toBe(Number.parseInt(crc, 16));
  });
});

describe("the simulator's packets", () => {
  test.each(smpVectors.packets)("reads $name", ({ hex, version, op, group, sequence, command, body }) => {
    expect(parsePacket(fromHex(hex))).toEqual({
      version: version - 1,
      operation: operations.indexOf(op),
      group,
      sequence,
      command,
      body: vectorValue(body),
    });
  });

  // What firmware writes has maps of indefinite length.
  const written = smpVectors.packets.filter(({ hex }) => hex.slice(16, 18) === "bf");
  test.each(written)("writes $name", ({ hex, version, op, group, sequence, command, body }) => {
    const header = { version: version - 1, operation: operations.indexOf(op), group, sequence, command };
    expect(toHex(composePacket(header, vectorValue(body) as Body))).toBe(hex);
  });

  test("are none when shorter or longer than they say", () => {
    const whole = fromHex("0a00000600004200a16164626869");
    for (let bytes = 0; bytes < whole.length; bytes++) expect(parsePacket(whole.subarray(0, bytes))).toBeUndefined();
    expect(parsePacket(Buffer.concat([whole, Buffer.of(0)]))).toBeUndefined();
  });
});

describe("the simulator's CBOR", () => {
  test.each(smpVectors.cbor)("reads $name", ({ hex, value }) => {
    expect(decodeBody(fromHex(hex))).toEqual(vectorValue(value));
  });

  test.each(smpVectors.cborRefused)("refuses $name", ({ hex }) => {
    expect(decodeBody(fromHex(hex))).toBeUndefined();
  });

  test("reads back what it writes", () => {
    const leaf = fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true }).filter((number) => !Object.is(number, -0)),
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
      fc.string(),
      fc.uint8Array(),
    );
    const names = fc.string().filter((name) => name !== "__proto__");
    fc.assert(
      fc.property(fc.dictionary(names, fc.oneof(leaf, fc.array(leaf), fc.dictionary(names, leaf))), (map) => {
        expect(decodeBody(encodeCbor(map))).toEqual({ ...map });
      }),
    );
  });

  test("takes any bytes: a map or nothing", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void decodeBody(bytes)));
    expect(decodeBody(fromHex("9f".repeat(100_000)))).toBeUndefined();
  });
});

describe("the simulator's console", () => {
  test.each(smpVectors.frames)("writes $name", ({ packet, lines }) => {
    expect(consoleLines(fromHex(packet)).map(toHex)).toEqual(lines);
  });

  test.each(smpVectors.received)("reads $name, whole and byte by byte", ({ wire, packets }) => {
    const bytes = fromHex(wire);
    expect(read([bytes]).packets).toEqual(packets);
    expect(read([...bytes].map((byte) => Uint8Array.of(byte))).packets).toEqual(packets);
  });

  test("reads what it writes behind any noise", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.uint8Array({ minLength: 8, maxLength: 600 }),
        (noise, packet) => {
          const { packets } = read([noise, Buffer.from("\n"), ...consoleLines(packet)]);
          expect(packets.at(-1)).toEqual(toHex(packet));
        },
      ),
    );
  });

  test("drops what its buffer does not hold, without a word, and counts it", () => {
    const lines = consoleLines(new Uint8Array(125));
    expect(read(lines, 128)).toEqual({ packets: [], dropped: 2 });
    expect(read(lines, 129).packets).toHaveLength(1);
  });
});
