import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { promisify } from "node:util";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { encodeFrames } from "../../src/serial/console-frames.ts";
import { FrameReader } from "../../src/serial/frame-reader.ts";
import { encodePacket } from "../../src/serial/smp-packet.ts";
import { Sightings } from "../../src/testing/sightings.ts";
import { lacksBoard, makeFirmware, provision, startFirmware, testProgram } from "../support/c-firmware.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { testIdentity } from "../support/simulated-mcu.ts";
import { fromHex, smpVectors, toHex } from "../unit/serial/smp-vectors.ts";

const run = promisify(execFile);

/** Has the C codec answer one line per question. */
async function ask(questions: readonly string[]): Promise<string[]> {
  const asked = run(testProgram("codec"), { maxBuffer: 1 << 26 });
  asked.child.stdin?.end(questions.map((each) => `${each}\n`).join(""));
  return (await asked).stdout.split("\n").slice(0, -1);
}

const folder = new ScratchFolder();

/** The line to the firmware, in packets. */
class Line implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #packets = new Sightings<string>();

  static async open(path: string): Promise<Line> {
    const socket = connect({ path });
    await once(socket, "connect");
    return new Line(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    const reader = new FrameReader({ onPacket: (packet) => this.#packets.add(toHex(packet)) });
    socket.on("data", (chunk: Buffer) => reader.push(chunk));
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Waits for a packet. */
  async until(packet: string): Promise<void> {
    for (let count = 1; (await this.#packets.nth(count)) !== packet; ) count += 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }
}

describe.skipIf(lacksBoard("host"))("parts of the sample firmware", () => {
  beforeAll(async () => {
    await makeFirmware("tests");
  }, 300_000);

  test("CRC, frames and packets are those of the shared vectors", async () => {
    const { crc, frames, received, cbor, cborRefused } = smpVectors;
    expect(await ask(crc.map(({ hex }) => `crc ${hex}`))).toEqual(crc.map((each) => each.crc));
    expect(await ask(frames.map(({ packet }) => `frame ${packet}`))).toEqual(frames.map(({ lines }) => lines.join("")));
    expect(await ask(received.map(({ wire }) => `deframe ${wire}`))).toEqual(
      received.map(({ packets }) => packets.map((packet) => ` ${packet}`).join("")),
    );
    expect(await ask(cbor.map(({ hex }) => `map ${hex}`))).toEqual(cbor.map(() => "yes"));
    expect(await ask(cborRefused.map(({ hex }) => `map ${hex}`))).toEqual(cborRefused.map(() => "no"));
  });

  test("a frame whose line end was lost is ended by the next one", async () => {
    const { lines, packet } = smpVectors.frames[0] as (typeof smpVectors.frames)[number];
    const frame = lines.join("");
    expect(await ask([`deframe ${frame.slice(0, -2)}${frame}`])).toEqual([` ${packet} ${packet}`]);
  });

  test("nothing on the line makes it read beyond its bytes, and what follows is understood", async () => {
    const echo = smpVectors.frames[0] as (typeof smpVectors.frames)[number];
    const noise = fc.sample(fc.uint8Array({ maxLength: 300 }), 300);
    const frames = smpVectors.received.map(({ wire }) => fromHex(wire));
    const cut = fc.sample(fc.tuple(fc.constantFrom(...frames), fc.nat(), fc.nat()), 300).map(([wire, at, value]) => {
      const changed = Uint8Array.from(wire);
      changed[at % changed.length] = value;
      return changed.subarray(0, (at * 7) % (changed.length + 1));
    });
    const questions = [...noise, ...cut].map((bytes) => `deframe ${toHex(bytes)}0a${echo.lines.join("")}`);
    for (const packets of await ask(questions)) expect(packets.endsWith(` ${echo.packet}`)).toBe(true);
  });

  test("no bytes make the reader of CBOR read beyond them", async () => {
    const maps = smpVectors.cbor.map(({ hex }) => fromHex(hex));
    const changed = fc.sample(fc.tuple(fc.constantFrom(...maps), fc.nat(), fc.nat()), 500).map(([map, at, value]) => {
      const bytes = Uint8Array.from(map);
      bytes[at % bytes.length] = value;
      return bytes;
    });
    const cut = maps.flatMap((map) => [...map.keys()].map((length) => map.subarray(0, length)));
    const deep = Uint8Array.from(Buffer.alloc(10_000, 0x9f));
    const answers = await ask([...changed, ...cut, deep].map((bytes) => `map ${toHex(bytes)}`));
    expect(answers).toHaveLength(changed.length + cut.length + 1);
    expect(new Set(answers.slice(changed.length))).toEqual(new Set(["no"]));
  });

  test.each(["", "soon", "0", "Infinity", "1.5", "4294967296"])("no page is written for a life of %j", async (life) => {
    const flash = folder.file("unlived.flash");
    await expect(provision(flash, { rid: "press-07", life })).rejects.toThrow("--life: expected whole seconds");
    expect(existsSync(flash)).toBe(false);
  });

  test("a power cut at any write leaves the state before or after", async () => {
    expect((await run(testProgram("power-cut"))).stdout).toBe("no power cut lost anything\n");
  });
});

describe.skipIf(lacksBoard("sanitized"))("the whole sample firmware", () => {
  beforeAll(async () => {
    await makeFirmware("sanitized");
  }, 300_000);

  test("survives requests of every kind, changed anywhere", async () => {
    const files = { flash: folder.file("flash"), socket: folder.file("line") };
    const { registrationId: rid, symmetricKey, privateKey, certificate } = testIdentity;
    const key = await folder.write("key", symmetricKey);
    const p256 = await folder.write("key.pem", privateKey);
    const cert = await folder.write("cert.pem", certificate);
    await provision(files.flash, { rid, key, p256, cert });
    await using firmware = await startFirmware("sanitized", files);
    await using line = await Line.open(files.socket);
    // Known requests of every group, but for the reset.
    const known = smpVectors.packets.filter(({ group, command }) => group !== 0 || command !== 5);
    const anyChange = fc.record({
      packet: fc.constantFrom(...known),
      operation: fc.constantFrom("read" as const, "write" as const),
      command: fc.option(fc.nat({ max: 8 }), { nil: undefined }),
      changes: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
    });
    for (const { packet, operation, command = packet.command, changes } of fc.sample(anyChange, 1500)) {
      if (packet.group === 0 && command === 5) continue;
      const body = fromHex(packet.hex).subarray(8);
      for (const [at, value] of changes) body[at % body.length] = value;
      line.write(encodeFrames(encodePacket({ ...packet, operation, command, body })));
    }
    const echo = smpVectors.frames[0] as (typeof smpVectors.frames)[number];
    line.write(fromHex(echo.lines.join("")));
    await line.until("0300000700004200bf6172626869ff");
    expect(firmware.hasEnded).toBe(false);
  });
});

describe.skipIf(lacksBoard("mps2-an385"))("the sample firmware for a microcontroller", () => {
  test("does not pass for built when it is over its budget", async () => {
    expect(await makeFirmware("mps2-an385")).not.toContain("Error");
    await expect(makeFirmware("-W", "port/mps2-an385/layout.ld", "FLASH_BUDGET=1000", "mps2-an385")).rejects.toThrow();
  }, 300_000);
});
