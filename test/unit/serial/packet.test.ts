import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadCbor } from "../../../src/serial/cbor.ts";
import { decodePacket, encodePacket } from "../../../src/serial/smp-packet.ts";
import { fromHex, smpVectors, toHex, vectorValue } from "./smp-vectors.ts";

const cbor = await loadCbor();

describe("a packet of SMP", () => {
  test.each(smpVectors.packets)("read: $name", ({ hex, version, op, group, sequence, command, body }) => {
    const packet = decodePacket(fromHex(hex));
    expect(packet).toMatchObject({ version, operation: op, group, sequence, command });
    expect(cbor.decodeMap(packet?.body ?? new Uint8Array())).toEqual(vectorValue(body));
  });

  // What an MCU writes has indefinite lengths; what we write has not.
  const written = smpVectors.packets.filter(({ op, group }) => !op.endsWith("response") && group !== 71);
  test.each(written)("written: $name", ({ hex, version, op, group, sequence, command, body }) => {
    const encoded = cbor.encode(vectorValue(body));
    expect(toHex(encodePacket({ version, operation: op, group, sequence, command, body: encoded }))).toBe(hex);
  });

  test("is nothing when it is shorter than it says, longer, or no packet at all", () => {
    const hex = "0a00000600004200a16164626869";
    for (let bytes = 0; bytes < hex.length / 2; bytes++) {
      expect(decodePacket(fromHex(hex).subarray(0, bytes))).toBeUndefined();
    }
    expect(decodePacket(fromHex(`${hex}00`))).toBeUndefined();
    expect(decodePacket(fromHex(`0f${hex.slice(2)}`))).toBeUndefined();
  });
});

describe("CBOR", () => {
  test.each(smpVectors.cbor)("$name", ({ hex, value }) => {
    expect(cbor.decodeMap(fromHex(hex))).toEqual(vectorValue(value));
  });

  test.each(smpVectors.cborRefused)("refuses $name", ({ hex }) => {
    expect(() => cbor.decodeMap(fromHex(hex))).toThrow();
  });

  test("refuses every map that was cut off, and one with something behind it", () => {
    for (const { hex } of smpVectors.cbor) {
      const whole = fromHex(hex);
      for (let bytes = 0; bytes < whole.length; bytes++) {
        expect(() => cbor.decodeMap(whole.subarray(0, bytes))).toThrow();
      }
      expect(() => cbor.decodeMap(fromHex(`${hex}00`))).toThrow();
    }
  });

  test("keeps integers that a number cannot hold", () => {
    const huge = { boot: 0xffff_ffff_ffff_ffffn };
    expect(cbor.decodeMap(cbor.encode(huge))).toEqual(huge);
  });

  test("takes any bytes: a map or an error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          expect(typeof cbor.decodeMap(bytes)).toBe("object");
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});
