import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { encodeFrames } from "../../src/serial/console-frames.ts";
import { FrameReader } from "../../src/serial/frame-reader.ts";
import { portAt } from "../../src/serial/port-at.ts";
import { SmpLink } from "../../src/serial/smp-link.ts";
import { encodePacket } from "../../src/serial/smp-packet.ts";
import { Sightings } from "../../src/testing/sightings.ts";
import { lacksBoard, makeFirmware, startFirmwareOnTerminal } from "../support/c-firmware.ts";
import { describeOnBoards, refusal } from "../support/firmware-bench.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { smpVectors } from "../unit/serial/smp-vectors.ts";

const folder = new ScratchFolder();
const line = (name: string): Buffer =>
  Buffer.from(smpVectors.frames.find((each) => each.name === name)?.lines.join("") ?? "", "hex");

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

describeOnBoards("the line", (start) => {
  test("captured requests are answered as they were by others, among log text and damage", async () => {
    const bench = await start();
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
    const bench = await start();
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
    const sent = Buffer.concat([ask(2, 2, nope), ask(1, 2, nope), ask(2, 64, "a0"), ask(2, 2, "a164"), ask(2, 70, "")]);
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
    const bench = await start();
    // Header, map, name and length of the text. The map of the answer has an end of one byte.
    const longest = (await bench.link.packetBytes()) - 8 - 6;
    const text = "x".repeat(longest - 1);
    expect(await bench.write(0, 0, { d: text })).toEqual({ r: text });
    expect(await refusal(bench.write(0, 0, { d: `${text}x` }))).toEqual({ rc: 7 });
  });

  test("information, statistics and the bootloader", async () => {
    const bench = await start();
    expect(await bench.read(0, 7, { format: "svi" })).toEqual({ output: `landfall-mcu 1.0.0 ${bench.board}` });
    expect(await refusal(bench.read(0, 7, { format: "x" }))).toEqual({ group: 0, rc: 2 });
    expect(await bench.read(0, 8, { query: "mode" })).toEqual({ mode: 1 });
    expect(await bench.read(2, 1)).toEqual({ stat_list: ["link", "telemetry", "commands", "identity"] });
    expect((await bench.read(2, 0, { name: "link" })).fields).toMatchObject({ dropped: 0, faults: 1 });
  });
});

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
