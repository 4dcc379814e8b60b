import { readFileSync } from "node:fs";
import fc from "fast-check";
import mqttPacket, { type Packet } from "mqtt-packet";
import { describe, expect, test } from "vitest";
import { decodePacket } from "../../../../src/emulator/mqtt/decode.ts";
import {
  encodeConnack,
  encodePingresp,
  encodePuback,
  encodePublish,
  encodeSuback,
  encodeUnsuback,
} from "../../../../src/emulator/mqtt/encode.ts";
import { type Frame, type FrameFault, FrameReader } from "../../../../src/emulator/mqtt/frames.ts";

interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly packet: unknown;
}
const vectors = JSON.parse(readFileSync("test/vectors/mqtt-packets.json", "utf8")) as Record<
  "client" | "server" | "malformed",
  readonly Vector[]
>;
const bytesOf = ({ hex }: Pick<Vector, "hex">): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");
const serverBytes = (name: string): Buffer =>
  bytesOf(vectors.server.find((vector) => vector.name === name) ?? { hex: "" });

function framesOf(bytes: Buffer, maxBodyBytes = 1_000_000): (Frame | FrameFault)[] {
  return [...new FrameReader(maxBodyBytes).push(bytes)];
}

function decoded(bytes: Buffer): unknown[] {
  return framesOf(bytes).map((frame) => ("kind" in frame ? frame : decodePacket(frame)));
}

/** Payloads and passwords as text, as the vectors have them. */
function readable(packet: unknown): unknown {
  return JSON.parse(
    JSON.stringify(packet, (_key, value: unknown) => {
      const { type, data } = (value ?? {}) as { type?: string; data?: number[] };
      return type === "Buffer" ? Buffer.from(data ?? []).toString("utf8") : value;
    }),
  );
}

describe("the decoder", () => {
  test.each(vectors.client)("reads $name", (vector) => {
    expect(readable(decoded(bytesOf(vector)))).toEqual([vector.packet]);
  });

  test.each(vectors.malformed)("does not take $name", (vector) => {
    const [first] = decoded(bytesOf(vector)) as [{ type?: string; kind?: string }];
    expect(first.kind ?? first.type).toBe("malformed");
  });

  test("reads whatever another implementation writes", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((each) => !/[+#\0/]/.test(each));
    const publish = fc.record({
      topic: text,
      payload: fc.uint8Array({ maxLength: 300 }),
      qos: fc.constantFrom(0, 1, 2) as fc.Arbitrary<0 | 1 | 2>,
      retain: fc.boolean(),
      messageId: fc.integer({ min: 1, max: 65_535 }),
    });
    fc.assert(
      fc.property(publish, ({ payload, messageId, ...rest }) => {
        const written = mqttPacket.generate({
          cmd: "publish",
          ...rest,
          payload: Buffer.from(payload),
          messageId,
        } as Packet);
        const id = rest.qos === 0 ? {} : { packetId: messageId };
        expect(decoded(written)).toEqual([
          { type: "publish", ...rest, ...id, duplicate: false, payload: Buffer.from(payload) },
        ]);
      }),
    );
  });

  test("takes any bytes without throwing", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 15 }),
        fc.integer({ min: 0, max: 15 }),
        fc.uint8Array(),
        (type, flags, body) => {
          expect(decodePacket({ type, flags, body: Buffer.from(body) })).toHaveProperty("type");
        },
      ),
    );
  });
});

describe("the frame reader", () => {
  const stream = Buffer.concat(vectors.client.map(bytesOf));

  test("finds the same packets however the bytes are cut", () => {
    const whole = framesOf(stream);
    expect(whole).toHaveLength(vectors.client.length);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sizes) => {
        const reader = new FrameReader(1_000_000);
        const found: (Frame | FrameFault)[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          found.push(...reader.push(stream.subarray(at, at + size)));
          at += size;
        }
        expect(found).toEqual(whole);
      }),
    );
  });

  test("reports a packet that is too large as soon as its length is known", () => {
    expect(framesOf(Buffer.from([0x30, 0xe8, 0x07]), 999)).toEqual([{ kind: "too-large", bytes: 1000 }]);
    expect(framesOf(Buffer.from([0x30, 0xe8, 0x07]), 1000)).toEqual([]);
  });
});

describe("the encoder", () => {
  test("writes what the specification lays out", () => {
    const [topic, payload] = ["t", Buffer.from("hi")];
    expect(encodeConnack(0, true)).toEqual(serverBytes("CONNACK, a session is there"));
    expect(encodeConnack(5, true)).toEqual(serverBytes("CONNACK, not authorized"));
    expect(encodePublish({ topic, payload })).toEqual(serverBytes("PUBLISH with QoS 0"));
    expect(encodePublish({ topic, payload, packetId: 0x1234, duplicate: true })).toEqual(
      serverBytes("PUBLISH with QoS 1, again"),
    );
    expect(encodePuback(0x1234)).toEqual(serverBytes("PUBACK"));
    expect(encodeSuback(10, [1, 0])).toEqual(serverBytes("SUBACK"));
    expect(encodeUnsuback(11)).toEqual(serverBytes("UNSUBACK"));
    expect(encodePingresp()).toEqual(serverBytes("PINGRESP"));
  });

  test("writes messages of any size that another implementation reads", () => {
    for (const size of [0, 1, 120, 127, 128, 16_383, 16_384, 300_000]) {
      const parser = mqttPacket.parser();
      const read: Packet[] = [];
      parser.on("packet", (packet) => read.push(packet));
      parser.parse(encodePublish({ topic: "a/ä", payload: Buffer.alloc(size, 7), packetId: 65_535 }));
      expect(read).toMatchObject([{ cmd: "publish", topic: "a/ä", qos: 1, messageId: 65_535, dup: false }]);
      expect((read[0] as { payload?: Buffer }).payload).toHaveLength(size);
    }
  });
});
