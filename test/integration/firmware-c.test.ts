import { createHash, createHmac, randomBytes, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { CborMap, CborValue } from "../../src/serial/cbor.ts";
import { encodeFrames } from "../../src/serial/console-frames.ts";
import { FrameReader } from "../../src/serial/frame-reader.ts";
import { portAt } from "../../src/serial/port-at.ts";
import type { SmpPush } from "../../src/serial/smp-client.ts";
import { SmpRefusal } from "../../src/serial/smp-faults.ts";
import { SmpLink } from "../../src/serial/smp-link.ts";
import { encodePacket } from "../../src/serial/smp-packet.ts";
import { Sightings } from "../../src/testing/sightings.ts";
import {
  type Board,
  lacksBoard,
  makeFirmware,
  provision,
  type RunningFirmware,
  startFirmware,
  startFirmwareOnTerminal,
} from "../support/c-firmware.ts";
import { type BuiltImage, buildImage } from "../support/image-builder.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { testAuthority } from "../support/tls-peer.ts";

const folder = new ScratchFolder();
const sasVectors = JSON.parse(readFileSync(new URL("../vectors/sas.json", import.meta.url), "utf8")) as {
  written: { name: string; key: string; token: string }[];
};
const smpVectors = JSON.parse(readFileSync(new URL("../vectors/smp.json", import.meta.url), "utf8")) as {
  frames: { name: string; lines: string[] }[];
};
const line = (name: string): Buffer =>
  Buffer.from(smpVectors.frames.find((each) => each.name === name)?.lines.join("") ?? "", "hex");

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

let started = 0;

/** A board with an identity, or none, and a link to it. */
class Bench {
  readonly #board: Board;
  readonly #files: { readonly flash: string; readonly socket: string };
  #running: RunningFirmware | undefined;
  #link: SmpLink | undefined;
  /** What the firmware printed beside its packets. */
  lines = new Sightings<string>();

  private constructor(board: Board) {
    this.#board = board;
    started += 1;
    this.#files = { flash: folder.file(`${started}.flash`), socket: folder.file(`${started}.sock`) };
  }

  static async start(board: Board, identity?: Readonly<Record<string, string>>): Promise<Bench> {
    const bench = new Bench(board);
    if (identity) await provision(bench.#files.flash, identity);
    await bench.powerOn();
    open.push(bench);
    return bench;
  }

  get address(): string {
    return `unix:${this.#files.socket}`;
  }

  get link(): SmpLink {
    if (!this.#link) throw new Error("the board is off");
    return this.#link;
  }

  async powerOn(): Promise<void> {
    this.#running = await startFirmware(this.#board, this.#files);
    this.lines = new Sightings();
    this.#link = await SmpLink.start({ port: portAt(this.address) });
    this.#link.on("text", (text) => this.lines.add(text));
    await this.line("start ");
  }

  async powerOff(): Promise<void> {
    await this.#link?.close();
    await this.#running?.cutPower();
  }

  /** Waits for a line, from the last look on. */
  async line(part: string): Promise<string> {
    for (let seen = 1; ; seen += 1) {
      const text = await this.lines.nth(seen);
      if (text.includes(part)) return text;
    }
  }

  read(group: number, command: number, body: CborMap = {}): Promise<CborMap> {
    return this.link.request({ operation: "read", group, command, body, timeoutMs: 20_000 });
  }

  write(group: number, command: number, body: CborMap = {}): Promise<CborMap> {
    return this.link.request({ operation: "write", group, command, body, timeoutMs: 20_000 });
  }

  /** Resets by the gateway's command and waits for the next start. */
  async reset(): Promise<void> {
    this.lines = new Sightings();
    await this.write(0, 5);
    await this.line("start ");
  }

  async boot(): Promise<CborValue> {
    return (await this.read(70, 0)).boot as CborValue;
  }

  /** The slots as "version state state". */
  async slots(): Promise<string[]> {
    const { images } = await this.read(1, 0);
    const flags = ["active", "confirmed", "pending", "permanent"];
    return (images as CborMap[]).map((image) =>
      [image.version, ...flags.filter((flag) => image[flag] === true)].join(" "),
    );
  }

  /** Uploads from `from` on, obeying the offsets that the board gives; resolves with its last answer. */
  async upload(
    { bytes, sha }: BuiltImage,
    { from = 0, until = bytes.length, pieceBytes = 700 } = {},
  ): Promise<CborMap> {
    let answer: CborMap = { off: from };
    for (let off = from; off < until; ) {
      const data = bytes.subarray(off, Math.min(off + pieceBytes, until));
      answer = await this.write(1, 1, off === 0 ? { image: 0, off, len: bytes.length, sha, data } : { off, data });
      off = answer.off as number;
    }
    return answer;
  }

  async setting(name: string): Promise<CborValue> {
    const { decode } = await import("cborg");
    return decode((await this.read(3, 0, { name })).val as Uint8Array) as CborValue;
  }

  async set(name: string, value: CborValue): Promise<void> {
    const { encode } = await import("cborg");
    await this.write(3, 0, { name, val: encode(value) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.powerOff();
  }
}

/** What a refusal said. */
async function refusal(asked: Promise<unknown>): Promise<unknown> {
  return asked.then(
    () => "no refusal",
    (error: unknown) => {
      if (error instanceof SmpRefusal) return error.fault;
      throw error;
    },
  );
}

/** Sends bytes as they are, and gives the packets that come back until there are `count`. */
async function exchangeRaw(address: string, bytes: Uint8Array, count: number): Promise<string[]> {
  const socket = connect({ path: address.slice("unix:".length) });
  const packets = new Sightings<string>();
  const reader = new FrameReader({ onPacket: (packet) => packets.add(Buffer.from(packet).toString("hex")) });
  socket.on("data", (chunk: Buffer) => reader.push(chunk));
  socket.write(bytes);
  await packets.nth(count);
  socket.destroy();
  return [...packets.all];
}

const key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

async function identityFiles() {
  const authority = await testAuthority();
  const issued = await authority.issue({ commonName: "sensor-17", usage: "client" });
  return {
    issued,
    identity: {
      rid: "sensor-17",
      key: await folder.write("key", key),
      p256: await folder.write("key.pem", issued.privateKeyPem),
      cert: await folder.write("chain.pem", issued.chainPem),
    },
  };
}

for (const board of ["host", "mps2-an385"] as const) {
  describe.skipIf(lacksBoard(board))(`the sample firmware on ${board}`, () => {
    beforeAll(async () => {
      await makeFirmware(board);
    }, 300_000);

    describe("the line", () => {
      test("captured requests are answered as they were by others, among log text and damage", async () => {
        const bench = await Bench.start(board);
        await bench.link.close();
        const request = line("echo request, version 1");
        const damaged = Buffer.from(request);
        damaged.write("B", 8);
        const sent = Buffer.concat([Buffer.from("some text "), request, damaged, line("echo request, version 2")]);
        expect(await exchangeRaw(bench.address, sent, 2)).toEqual([
          "0300000700004200bf6172626869ff",
          "0b00000700004200bf6172626869ff",
        ]);
      });

      test("both versions of a fault, and codes of SMP itself", async () => {
        const bench = await Bench.start(board);
        await bench.link.close();
        const ask = (version: number, group: number, body: string) =>
          encodeFrames(
            encodePacket({
              version,
              operation: "read",
              group,
              command: 0,
              sequence: 5,
              body: Buffer.from(body, "hex"),
            } as never),
          );
        const nope = "a1646e616d65646e6f7065";
        const sent = Buffer.concat([
          ask(2, 2, nope),
          ask(1, 2, nope),
          ask(2, 64, "a0"),
          ask(2, 2, "a164"),
          ask(2, 70, ""),
        ]);
        const answers = await exchangeRaw(bench.address, sent, 5);
        expect(answers.slice(0, 4)).toEqual([
          "0900001300020500bf63657272bf6567726f75700262726303ffff",
          "0100000600020500bf62726305ff",
          "0900000600400500bf62726308ff",
          "0900000600020500bf62726303ff",
        ]);
        expect(answers[4]).toMatch(/^0900....00460500bf63726964/);
      });

      test("a packet as long as it says it takes is taken; an answer that would be longer is a fault", async () => {
        const bench = await Bench.start(board);
        // Header, map, name and length of the text. The map of the answer has an end of one byte.
        const longest = (await bench.link.packetBytes()) - 8 - 6;
        const text = "x".repeat(longest - 1);
        expect(await bench.write(0, 0, { d: text })).toEqual({ r: text });
        expect(await refusal(bench.write(0, 0, { d: `${text}x` }))).toEqual({ rc: 7 });
      });

      test("information, statistics and the bootloader", async () => {
        const bench = await Bench.start(board);
        expect(await bench.read(0, 7, { format: "svi" })).toEqual({ output: `landfall-mcu 1.0.0 ${board}` });
        expect(await refusal(bench.read(0, 7, { format: "x" }))).toEqual({ group: 0, rc: 2 });
        expect(await bench.read(0, 8, { query: "mode" })).toEqual({ mode: 1 });
        expect(await bench.read(2, 1)).toEqual({ stat_list: ["link", "telemetry", "commands", "identity"] });
        expect((await bench.read(2, 0, { name: "link" })).fields).toMatchObject({ dropped: 0, faults: 1 });
      });
    });

    describe("the identity", () => {
      test("is named; tokens are to the letter what the vectors have", async () => {
        const { identity } = await identityFiles();
        const bench = await Bench.start(board, identity);
        expect(await bench.read(70, 0)).toEqual({ rid: "sensor-17", kinds: ["sas", "p256"], life: 86_400, boot: 1 });
        const tokens = [
          { for: "dps", scope: "0ne00ABCDEF", now: 1767222000, exp: 1767225600 },
          { for: "hub", scope: "plant-1.azure-devices.net", now: 1798758000, exp: 1798761600 },
        ].map(async (request) => (await bench.write(70, 1, request)).token);
        const expected = ["DPS, a key of 64 bytes", "hub, no key name"];
        expect(await Promise.all(tokens)).toEqual(
          expected.map((name) => sasVectors.written.find((each) => each.name === name)?.token),
        );
      });

      test("signs for another device id at the hub, whatever its characters", async () => {
        const { identity } = await identityFiles();
        const bench = await Bench.start(board, identity);
        const dev = "a:b@c=d#e%f+g,h;i$j?k'*()!°";
        const { token } = await bench.write(70, 1, { for: "hub", scope: "h.example", dev, now: 10, exp: 20 });
        const fields = new URLSearchParams((token as string).replace("SharedAccessSignature ", ""));
        expect(fields.get("sr")).toBe(`h.example/devices/${dev}`);
        const signedText = `${/sr=([^&]*)/.exec(token as string)?.[1]}\n20`;
        expect(fields.get("sig")).toBe(
          createHmac("sha256", Buffer.from(key, "base64")).update(signedText).digest("base64"),
        );
      });

      test("refuses a long life, a past expiry, a token without end, and what it cannot do", async () => {
        const { identity } = await identityFiles();
        const bench = await Bench.start(board, { ...identity, life: "3600" });
        const ask = (change: CborMap) =>
          refusal(bench.write(70, 1, { for: "dps", scope: "0ne", now: 1000, exp: 1000 + 3600, ...change }));
        expect(await ask({})).toBe("no refusal");
        expect(await ask({ exp: 1000 + 3601 })).toEqual({ group: 70, rc: 3 });
        expect(await ask({ exp: 1000 })).toEqual({ group: 70, rc: 3 });
        expect(await ask({ for: "all" })).toEqual({ group: 70, rc: 3 });
        expect(await ask({ scope: "" })).toEqual({ group: 70, rc: 3 });
        expect(await ask({ scope: "/".repeat(200) })).toEqual({ group: 70, rc: 7 });
        expect(await refusal(bench.write(70, 4, { id: 1, off: 0, len: 1, data: Uint8Array.of(1) }))).toEqual({ rc: 8 });
      });

      test("gives its chain in pieces, and signs digests that its certificate verifies, not without end", async () => {
        const { identity, issued } = await identityFiles();
        const bench = await Bench.start(board, identity);
        const chain: Uint8Array[] = [];
        for (let off = 0, len = 1; off < len; ) {
          const piece = await bench.read(70, 2, { off });
          chain.push(piece.data as Uint8Array);
          off += (piece.data as Uint8Array).length;
          len = piece.len as number;
        }
        const { X509Certificate } = await import("node:crypto");
        const certificate = new X509Certificate(Buffer.concat(chain));
        expect(certificate.raw).toEqual(new X509Certificate(issued.chainPem).raw);

        const sign = async (text: string) =>
          (await bench.write(70, 3, { hash: createHash("sha256").update(text).digest() })).sig as Uint8Array;
        const signatures = [await sign("a"), await sign("b")];
        expect(
          signatures.map((each, i) => verify("sha256", Buffer.from("ab"[i] as string), certificate.publicKey, each)),
        ).toEqual([true, true]);
        // The nonce comes from key and digest alone.
        expect(await sign("a")).toEqual(signatures[0]);
        for (let i = 3; i < 10; i++) await sign("c");
        expect(await refusal(sign("d"))).toEqual({ group: 70, rc: 10 });
      });

      test("without a page it is nobody", async () => {
        const bench = await Bench.start(board);
        expect(await bench.read(70, 0)).toMatchObject({ rid: "unprovisioned", kinds: [] });
        expect(await refusal(bench.write(70, 3, { hash: randomBytes(32) }))).toEqual({ group: 70, rc: 8 });
        expect(await refusal(bench.read(70, 2, { off: 0 }))).toEqual({ group: 70, rc: 5 });
      });
    });

    describe("images", () => {
      test("one is tried, reverted when nobody confirms it, and kept over reset and power cut when somebody does", async () => {
        const bench = await Bench.start(board);
        expect(await bench.slots()).toEqual(["1.0.0 active confirmed"]);
        const image = buildImage("1.1.0", { bodyBytes: 9001 });
        expect(await bench.upload(image)).toEqual({ off: image.bytes.length, match: true });
        await bench.write(1, 0, { hash: image.hash, confirm: false });
        expect(await bench.slots()).toEqual(["1.0.0 active confirmed", "1.1.0 pending"]);
        await bench.reset();
        expect(await bench.slots()).toEqual(["1.1.0 active", "1.0.0 confirmed"]);
        expect((await bench.read(0, 7, { format: "v" })).output).toBe("1.1.0");
        await bench.reset();
        expect(await bench.slots()).toEqual(["1.0.0 active confirmed", "1.1.0"]);

        await bench.write(1, 0, { hash: image.hash, confirm: false });
        await bench.reset();
        await bench.write(1, 0, { confirm: true });
        expect(await bench.slots()).toEqual(["1.1.0 active confirmed", "1.0.0"]);
        await bench.reset();
        expect(await bench.slots()).toEqual(["1.1.0 active confirmed", "1.0.0"]);
        await bench.powerOff();
        await bench.powerOn();
        expect(await bench.slots()).toEqual(["1.1.0 active confirmed", "1.0.0"]);
      });

      test("a power cut reverts as a reset does; one for good needs no second word", async () => {
        const bench = await Bench.start(board);
        const image = buildImage("1.1.0");
        await bench.upload(image);
        await bench.write(1, 0, { hash: image.hash, confirm: false });
        await bench.powerOff();
        await bench.powerOn();
        expect(await bench.slots()).toEqual(["1.1.0 active", "1.0.0 confirmed"]);
        await bench.powerOff();
        await bench.powerOn();
        expect(await bench.slots()).toEqual(["1.0.0 active confirmed", "1.1.0"]);
        await bench.write(1, 0, { hash: image.hash, confirm: true });
        expect(await bench.slots()).toEqual(["1.0.0 active confirmed", "1.1.0 pending permanent"]);
        await bench.reset();
        expect(await bench.slots()).toEqual(["1.1.0 active confirmed", "1.0.0"]);
      });

      test.each(["LANDFALL-MCU:hang", "LANDFALL-MCU:crash"])(
        "one that never comes up is reverted: %s",
        async (marker) => {
          const bench = await Bench.start(board);
          const image = buildImage("6.6.6", { marker });
          await bench.upload(image);
          await bench.write(1, 0, { hash: image.hash, confirm: false });
          await bench.reset();
          expect(bench.lines.all.some((text) => text.includes("going back"))).toBe(true);
          expect(await bench.slots()).toEqual(["1.0.0 active confirmed", "6.6.6"]);
        },
      );

      test("an upload goes on where it was, and takes no piece that does not fit", async () => {
        const bench = await Bench.start(board);
        const image = buildImage("1.1.0", { bodyBytes: 5000 });
        await bench.upload(image, { until: 1001, pieceBytes: 333 });
        // The same piece again, and one from the future.
        expect(await bench.write(1, 1, { off: 999, data: image.bytes.subarray(999, 1001) })).toEqual({ off: 1001 });
        expect(await bench.write(1, 1, { off: 2000, data: image.bytes.subarray(2000, 2100) })).toEqual({ off: 1001 });
        const { sha, bytes } = image;
        expect(await bench.write(1, 1, { off: 0, len: bytes.length, sha, data: bytes.subarray(0, 64) })).toEqual({
          off: 1001,
        });
        expect(await bench.upload(image, { from: 1001 })).toEqual({ off: bytes.length, match: true });
        // The last answer was lost.
        expect(await bench.write(1, 1, { off: bytes.length - 5, data: bytes.subarray(-5) })).toEqual({
          off: bytes.length,
          match: true,
        });
        await bench.reset();
        expect(await bench.write(1, 1, { off: 1001, data: bytes.subarray(1001, 1100) })).toEqual({ off: 0 });
      });

      test("what is no image, too large, older, damaged or unknown is refused", async () => {
        const bench = await Bench.start(board);
        const image = buildImage("1.1.0");
        const first = (change: CborMap) =>
          refusal(
            bench.write(1, 1, { off: 0, len: image.bytes.length, data: image.bytes.subarray(0, 200), ...change }),
          );
        expect(await first({ data: new Uint8Array(200) })).toEqual({ group: 1, rc: 23 });
        expect(await first({ data: image.bytes.subarray(0, 10) })).toEqual({ group: 1, rc: 22 });
        expect(await first({ len: 0x20000 })).toEqual({ group: 1, rc: 30 });
        expect(await first({ image: 1 })).toEqual({ group: 1, rc: 14 });
        expect(await first({ upgrade: true, data: buildImage("1.0.0").bytes.subarray(0, 200) })).toEqual({
          group: 1,
          rc: 27,
        });
        expect(await first({ upgrade: true })).toBe("no refusal");
        const overrun = new Uint8Array(700);
        let fault: unknown = "no refusal";
        for (let off = 200; fault === "no refusal" && off < 4000; off += 700)
          fault = await refusal(bench.write(1, 1, { off, data: overrun }));
        expect(fault).toEqual({ group: 1, rc: 31 });

        const damaged = { ...image, bytes: Uint8Array.from(image.bytes) };
        damaged.bytes[500] = (damaged.bytes[500] as number) ^ 1;
        expect(await bench.upload(damaged)).toMatchObject({ match: false });
        expect(await refusal(bench.write(1, 0, { hash: image.hash, confirm: false }))).toEqual({ group: 1, rc: 24 });
        expect(await refusal(bench.write(1, 0, { hash: randomBytes(32), confirm: false }))).toEqual({
          group: 1,
          rc: 8,
        });
        const { images } = await bench.read(1, 0);
        const running = (images as CborMap[])[0]?.hash as Uint8Array;
        expect(await refusal(bench.write(1, 0, { hash: running, confirm: false }))).toEqual({ group: 1, rc: 33 });
      });

      test("the image to fall back to is neither erased nor written over", async () => {
        const bench = await Bench.start(board);
        const image = buildImage("1.1.0");
        await bench.upload(image);
        await bench.write(1, 0, { hash: image.hash, confirm: false });
        await bench.reset();
        expect(await refusal(bench.write(1, 5))).toEqual({ group: 1, rc: 9 });
        expect(await refusal(bench.upload(buildImage("1.2.0")))).toEqual({ group: 1, rc: 9 });
        await bench.write(1, 0, { confirm: true });
        await bench.write(1, 5);
        expect(await bench.slots()).toEqual(["1.1.0 active confirmed"]);
      });
    });

    describe("settings", () => {
      test("take effect with commit, all at once, and last over a power cut", async () => {
        const bench = await Bench.start(board);
        await bench.set("sampling/period_ms", 250);
        await bench.set("label", "over the door °");
        await bench.set("sensor/offset", -300);
        await bench.set("alarm", true);
        expect(await bench.setting("sampling/period_ms")).toBe(5000);
        await bench.write(3, 2);
        await bench.set("led/brightness", 7);
        await bench.powerOff();
        await bench.powerOn();
        expect(await bench.setting("sampling/period_ms")).toBe(250);
        expect(await bench.setting("label")).toBe("over the door °");
        expect(await bench.setting("sensor/offset")).toBe(-300);
        expect(await bench.setting("alarm")).toBe(true);
        expect(await bench.setting("led/brightness")).toBe(50);
        await bench.write(3, 1, { name: "label" });
        await bench.write(3, 2);
        expect(await bench.setting("label")).toBe("");
      });

      test("names and values that are none are refused, and change nothing", async () => {
        const bench = await Bench.start(board);
        const fault = (rc: number) => ({ group: 3, rc });
        expect(await refusal(bench.set("led/colour", 1))).toEqual(fault(5));
        expect(await refusal(bench.set("led/brightness", 101))).toEqual(fault(3));
        expect(await refusal(bench.set("led/brightness", "bright"))).toEqual(fault(3));
        expect(await refusal(bench.set("label", "x".repeat(33)))).toEqual(fault(3));
        expect(await refusal(bench.write(3, 0, { name: "alarm", val: Uint8Array.of(0xff) }))).toEqual(fault(3));
        await bench.write(3, 2);
        expect(await bench.setting("led/brightness")).toBe(50);
      });
    });

    describe("telemetry", () => {
      test("is off at first, said again until it is answered, and goes on then", async () => {
        const bench = await Bench.start(board);
        const pushed = new Sightings<SmpPush>();
        let answers = false;
        bench.link.serve(71, async (push) => {
          pushed.add(push);
          if (!answers) throw new Error("the hub is away");
          return { n: push.body.n as number };
        });
        await bench.set("sampling/period_ms", 100);
        await bench.write(3, 2);
        const boot = await bench.boot();
        expect(pushed.all).toEqual([]);
        expect(await bench.write(71, 0, { on: true })).toEqual({ boot });
        const first = await pushed.nth(1);
        expect(first.body).toMatchObject({
          boot,
          n: 0,
          data: { temperature: expect.any(Number), humidity: expect.any(Number) },
        });
        expect((await pushed.nth(2)).body).toEqual(first.body);
        answers = true;
        expect((await pushed.nth(3)).body).toEqual(first.body);
        expect((await pushed.nth(4)).body).toMatchObject({ boot, n: 1 });
        expect((await pushed.nth(5)).body).toMatchObject({ boot, n: 2 });
        await bench.reset();
        expect(await bench.boot()).not.toBe(boot);
        expect(await bench.read(2, 0, { name: "telemetry" })).toMatchObject({ fields: { sent: 0 } });
      });

      test("the noise is that of its seed", async () => {
        const bench = await Bench.start(board);
        const readings: CborValue[] = [];
        for (const seed of [7, 7, 8]) {
          await bench.set("sensor/seed", seed);
          await bench.write(3, 2);
          await bench.reset();
          const boot = await bench.boot();
          readings.push((await bench.write(72, 0, { id: "a", boot, name: "measure" })).result as CborValue);
        }
        expect(readings[1]).toEqual(readings[0]);
        expect(readings[2]).not.toEqual(readings[0]);
      });
    });

    describe("commands", () => {
      test("are executed once, however often they are asked for, and not for another start", async () => {
        const bench = await Bench.start(board);
        expect(await bench.read(72, 1)).toEqual({ names: ["blink", "count", "measure", "calibrate"] });
        const boot = await bench.boot();
        const ask = (id: string) => bench.write(72, 0, { id, boot, name: "count" });
        expect(await ask("a")).toEqual({ id: "a", status: 200, result: { count: 1 } });
        for (let i = 0; i < 3; i++) expect(await ask("a")).toEqual({ id: "a", status: 200, result: { count: 1 } });
        expect(await ask("b")).toMatchObject({ result: { count: 2 } });
        // 32 are remembered: 30 more leave the first two in memory.
        for (let i = 0; i < 30; i++) await ask(`n${i}`);
        expect(await ask("a")).toMatchObject({ result: { count: 1 } });
        await bench.reset();
        expect(await refusal(ask("a"))).toEqual({ group: 72, rc: 6 });
      });

      test("one that takes its time is asked for again, and holds up only its like", async () => {
        const bench = await Bench.start(board);
        const boot = await bench.boot();
        const slow = (id: string) => bench.write(72, 0, { id, boot, name: "calibrate", args: { ms: 300 } });
        expect(await slow("a")).toEqual({ id: "a" });
        expect(await refusal(slow("b"))).toEqual({ group: 72, rc: 10 });
        expect(await bench.write(72, 0, { id: "c", boot, name: "blink", args: { times: 3 } })).toMatchObject({
          result: { done: 3 },
        });
        let answer = await slow("a");
        while (answer.status === undefined) answer = await slow("a");
        expect(answer).toEqual({ id: "a", status: 200, result: { ms: 300 } });
      });

      test("unknown names and wrong arguments have their status", async () => {
        const bench = await Bench.start(board);
        const boot = await bench.boot();
        expect(await bench.write(72, 0, { id: "a", boot, name: "fly" })).toEqual({ id: "a", status: 404 });
        expect(await refusal(bench.write(72, 0, { id: "", boot, name: "blink" }))).toEqual({ group: 72, rc: 3 });
        expect(await bench.write(72, 0, { id: "a", boot, name: "blink", args: { times: 0 } })).toMatchObject({
          status: 400,
        });
      });
    });
  });
}

describe.skipIf(lacksBoard("host"))("on a pseudo-terminal", () => {
  test("it is opened as a serial device, and stays there over a reset", async () => {
    await makeFirmware("host");
    const { firmware, path } = await startFirmwareOnTerminal(folder.file("terminal.flash"));
    await using _ = firmware;
    await using link = await SmpLink.open({ port: portAt(path) });
    const boot = async () => (await link.request({ operation: "read", group: 70, command: 0 })).boot;
    expect(await boot()).toBe(1);
    await link.request({ operation: "write", group: 0, command: 5 });
    expect(await boot()).toBe(2);
  });
});
