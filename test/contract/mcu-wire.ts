import type { Duplex } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type CborMap, loadCbor } from "../../src/serial/cbor.ts";
import { encodeFrames } from "../../src/serial/console-frames.ts";
import { FrameReader } from "../../src/serial/frame-reader.ts";
import { decodePacket, encodePacket, type SmpPacket } from "../../src/serial/smp-packet.ts";
import { Sightings } from "../../src/testing/sightings.ts";
import { fromHex, packetVector, smpVectors, toHex } from "../unit/serial/smp-vectors.ts";
import type { McuUnderTest } from "./mcu-scene.ts";

const cbor = await loadCbor();

/** What comes from an MCU whose line a test has in its hands. */
class BareLine {
  readonly answers = new Sightings<string>();
  readonly #stream: Duplex;

  readonly #reader = new FrameReader({ onPacket: (packet) => this.answers.add(toHex(packet)) });
  readonly #listen = (chunk: Buffer): void => this.#reader.push(chunk);

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on("data", this.#listen);
  }

  /** Leaves the line to the next. */
  close(): void {
    this.#stream.off("data", this.#listen);
  }

  write(bytes: Uint8Array): void {
    this.#stream.write(bytes);
  }

  /** Says a packet and resolves with the next that comes, as hex. */
  async ask(packet: Uint8Array): Promise<string> {
    const next = this.answers.nth(this.answers.all.length + 1);
    this.write(encodeFrames(packet));
    return next;
  }

  async askBody(request: Partial<SmpPacket>, body: CborMap): Promise<SmpPacket & { readonly map: CborMap }> {
    const whole = { version: 2, operation: "read", group: 0, sequence: 1, command: 0, ...request } as const;
    const answer = decodePacket(fromHex(await this.ask(encodePacket({ ...whole, body: cbor.encode(body) }))));
    if (answer === undefined) throw new Error("the answer is no packet");
    return { ...answer, map: cbor.decodeMap(answer.body) };
  }
}

/** What an MCU has to say to the letter, on a line that changes nothing. */
export function mcuWireContract(name: string, open: () => Promise<McuUnderTest>): void {
  describe(`${name}, on the wire`, () => {
    let mcu: McuUnderTest;
    let stream: Duplex;
    let line: BareLine;
    beforeAll(async () => {
      mcu = await open();
      stream = await mcu.port.open();
      stream.write("\n");
    });
    beforeEach(() => {
      line = new BareLine(stream);
    });
    afterEach(() => line.close());
    afterAll(async () => {
      stream.destroy();
      await mcu.close();
    });

    test("answers the captured echo request of version 1 as Zephyr does", async () => {
      const answer = await line.ask(fromHex(packetVector("echo request, version 1").hex));
      expect(answer).toBe(packetVector("echo response, version 1").hex);
    });

    test("answers version 2, and later ones, in version 2", async () => {
      for (const version of [2, 3, 4]) {
        const { version: answered, map } = await line.askBody({ version, operation: "write" }, { d: "hi" });
        expect([answered, map]).toEqual([2, { r: "hi" }]);
      }
    });

    test("refuses a group that there is not with a plain rc, as captured from Zephyr", async () => {
      const request = {
        version: 2,
        operation: "read",
        group: 64,
        sequence: 3,
        command: 0,
        body: cbor.encode({}),
      } as const;
      const captured = packetVector("an unknown group is answered with a plain rc, also in version 2").hex;
      expect(await line.ask(encodePacket(request))).toBe(captured);
    });

    test.each([
      ["an unknown statistics group, version 2", 2, 4],
      ["an unknown statistics group, version 1", 1, 5],
    ])("refuses %s, as captured from Zephyr", async (vector, version, sequence) => {
      const body = cbor.encode({ name: "nope" });
      const request = { version, operation: "read", group: 2, sequence, command: 0, body } as const;
      expect(await line.ask(encodePacket(request))).toBe(packetVector(vector).hex);
    });

    const requests = smpVectors.packets.filter(
      ({ op, group, name: vector }) =>
        !op.endsWith("response") && group !== 71 && !/reset|erase|image|confirm/.test(vector),
    );
    test.each(requests)("answers $name under its number", async ({ hex, version, op, group, sequence, command }) => {
      const answer = decodePacket(fromHex(await line.ask(fromHex(hex))));
      expect(answer).toMatchObject({ version, operation: `${op}-response`, group, sequence, command });
      expect(cbor.decodeMap(answer?.body ?? new Uint8Array())).toBeTypeOf("object");
    });

    test.each(smpVectors.received)("takes what is whole, and nothing else: $name", async ({ wire, packets }) => {
      line.write(fromHex(wire));
      const numbers = packets.map((packet) => packet.slice(12, 16));
      await line.answers.nth(packets.length);
      const last = await line.ask(encodePacket(closing));
      expect(line.answers.all.map((answer) => answer.slice(12, 16))).toEqual([...numbers, last.slice(12, 16)]);
      expect(last.slice(12, 14)).toBe("fe");
    });

    test("echoes a packet of the length that it says it takes, and drops one that is longer", async () => {
      const { map } = await line.askBody({ command: 6 }, {});
      const room = (map.buf_size as number) - 4 - 8;
      // Its answer has one byte more than the request, where the map's end is marked.
      const text = "x".repeat(room - 7);
      expect((await line.askBody({ operation: "write" }, { d: text })).map).toEqual({ r: text });
      const heard = line.answers.all.length;
      line.write(encodeFrames(encodePacket({ ...closing, sequence: 7, body: cbor.encode({ d: "x".repeat(room) }) })));
      await line.ask(encodePacket(closing));
      expect(line.answers.all.slice(heard).map((answer) => answer.slice(12, 14))).toEqual(["fe"]);
    });

    test("answers what is no map with 3", async () => {
      for (const body of [Uint8Array.of(0x01), Uint8Array.of(0xa1), Uint8Array.of(0xa0, 0xa0)]) {
        const answer = decodePacket(fromHex(await line.ask(encodePacket({ ...closing, body }))));
        expect(cbor.decodeMap(answer?.body ?? new Uint8Array())).toEqual({ rc: 3 });
      }
    });

    test("reads maps of indefinite length", async () => {
      const body = fromHex("bf6164626869ff");
      const answer = decodePacket(fromHex(await line.ask(encodePacket({ ...closing, body }))));
      expect(cbor.decodeMap(answer?.body ?? new Uint8Array())).toEqual({ r: "hi" });
    });

    test("passes over answers that nobody asked for", async () => {
      line.write(encodeFrames(encodePacket({ ...closing, operation: "write-response", sequence: 9 })));
      line.write(encodeFrames(encodePacket({ ...closing, operation: "read-response", sequence: 9 })));
      expect((await line.ask(encodePacket(closing))).slice(12, 14)).toBe("fe");
      expect(line.answers.all).toHaveLength(1);
    });
  });
}

/** An echo whose answer closes whatever came before. */
const closing: SmpPacket = {
  version: 2,
  operation: "write",
  group: 0,
  sequence: 0xfe,
  command: 0,
  body: cbor.encode({ d: "" }),
};
