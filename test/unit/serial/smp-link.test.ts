import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, describe, expect, test } from "vitest";
import { seededRandom } from "../../../src/emulator/randomness.ts";
import { LandfallError } from "../../../src/errors.ts";
import { encodeFrames } from "../../../src/serial/console-frames.ts";
import type { SmpRequest } from "../../../src/serial/smp-client.ts";
import { SmpRefusal } from "../../../src/serial/smp-faults.ts";
import { SmpLink } from "../../../src/serial/smp-link.ts";
import { decodePacket, encodePacket, type SmpPacket } from "../../../src/serial/smp-packet.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { ScriptedMcu } from "../../support/scripted-mcu.ts";
import { fromHex, packetVector, smpVectors } from "./smp-vectors.ts";

const open: SmpLink[] = [];
afterEach(async () => {
  for (const link of open.splice(0)) await link.close();
});

async function scene(mcu = new ScriptedMcu()) {
  const clock = new FakeClock();
  const told: string[] = [];
  const link = await SmpLink.start({ port: mcu.port, clock, random: () => 0.5 });
  link.on("up", () => void told.push("up")).on("down", ({ code }) => void told.push(code));
  open.push(link);
  return { mcu, clock, link, told };
}

const echo: SmpRequest = { operation: "write", group: 0, command: 0, body: { d: "hi" }, repeatable: true };
const act: SmpRequest = { operation: "write", group: 72, command: 0, body: { id: "a" } };

/** The answer to a packet, with one character of its base64 changed. */
function damagedAnswer({ group, command, sequence }: Pick<SmpPacket, "group" | "command" | "sequence">): Uint8Array {
  const body = Uint8Array.of(0xa0);
  const frames = Buffer.from(
    encodeFrames(encodePacket({ version: 2, operation: "write-response", group, command, sequence, body })),
  );
  frames.writeUInt8(frames.readUInt8(6) === 0x41 ? 0x42 : 0x41, 6);
  return frames;
}

describe("a request", () => {
  test("goes out as the vectors have it, and resolves with the body of the answer", async () => {
    const { mcu, link } = await scene(new ScriptedMcu().on("0/0", ({ body }) => ({ r: body.d ?? null })));
    expect(await link.request(echo)).toEqual({ r: "hi" });
    expect(mcu.seen.all).toEqual([
      { version: 2, operation: "write", group: 0, command: 0, sequence: 129, body: { d: "hi" } },
    ]);
  });

  test("is answered by version 1, too, and by a body of no bytes", async () => {
    const { mcu, link } = await scene(new ScriptedMcu().on("0/0", () => undefined));
    const asked = link.request(echo);
    mcu.send({ ...(await mcu.seen.nth(1)), version: 1, operation: "write-response", body: { r: "old" } });
    expect(await asked).toEqual({ r: "old" });
  });

  test("takes only the answer to itself: by operation, sequence, group and command", async () => {
    const { mcu, link } = await scene(new ScriptedMcu().on("0/0", () => undefined));
    const asked = link.request(echo);
    const seen = await mcu.seen.nth(1);
    const answer = { ...seen, operation: "write-response", body: { r: "wrong" } } as const;
    mcu.send({ ...answer, sequence: seen.sequence - 1 });
    mcu.send({ ...answer, operation: "read-response" });
    mcu.send({ ...answer, group: 1 });
    mcu.send({ ...answer, command: 1 });
    mcu.send({ ...seen, operation: "write", body: { d: "a request of the MCU's" } });
    mcu.write("a log line\r\nwithout end ");
    mcu.send({ ...answer, body: { r: "right" } });
    expect(await asked).toEqual({ r: "right" });
  });

  test("waits for the one before it", async () => {
    const { mcu, link } = await scene(new ScriptedMcu().on("0/0", () => undefined));
    const asked = [link.request(echo), link.request(echo)];
    const first = await mcu.seen.nth(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(mcu.seen.all).toHaveLength(1);
    mcu.reply(first, { r: 1 });
    mcu.reply(await mcu.seen.nth(2), { r: 2 });
    expect(await Promise.all(asked)).toEqual([{ r: 1 }, { r: 2 }]);
    expect(mcu.seen.all[1]?.sequence).toBe(first.sequence + 1);
  });

  test.each(smpVectors.faults.filter(({ fault }) => fault))(
    "that is refused says why: $name",
    async ({ packet, fault }) => {
      const answer = decodePacket(fromHex(packet));
      const { mcu, link } = await scene(new ScriptedMcu().on("0/0", () => undefined));
      const asked = link.request(echo);
      const { operation: _, ...seen } = await mcu.seen.nth(1);
      const { decode } = await import("cborg");
      const body = decode(Uint8Array.from(answer?.body ?? [])) as { rc: number };
      mcu.send({ ...seen, operation: "write-response", body });
      const error = await asked.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SmpRefusal);
      expect((error as SmpRefusal).fault).toEqual(fault);
    },
  );

  test.each(smpVectors.faults.filter(({ fault }) => !fault))("$name", async ({ packet }) => {
    const { mcu, link } = await scene(new ScriptedMcu().on("0/0", () => undefined));
    const asked = link.request(echo);
    const seen = await mcu.seen.nth(1);
    const bytes = Buffer.from(fromHex(packet));
    bytes[0] = 0x0b;
    bytes.writeUInt16BE(0, 4);
    bytes[6] = seen.sequence;
    bytes[7] = 0;
    mcu.write(encodeFrames(bytes));
    await asked;
  });

  test("tells busy and unsupported from other refusals", async () => {
    const { mcu, link } = await scene();
    mcu.on("70/3", () => ({ err: { group: 70, rc: 10 } }));
    mcu.on("1/0", () => ({ err: { group: 1, rc: 8 } }));
    const sign: SmpRequest = { operation: "write", group: 70, command: 3 };
    await expect(link.request(sign)).rejects.toMatchObject({ code: "smp.busy" });
    await expect(link.request({ operation: "read", group: 64, command: 0 })).rejects.toMatchObject({
      code: "smp.unsupported",
    });
    // The image group has codes of its own.
    await expect(link.request({ operation: "read", group: 1, command: 0 })).rejects.toMatchObject({
      code: "smp.refused",
      message: "the MCU refused to do 1/0: no image has that hash (code 8 of group 1)",
    });
  });

  test("fails on an answer that is no CBOR map", async () => {
    const { mcu, link } = await scene(new ScriptedMcu().on("0/0", () => undefined));
    const asked = link.request(echo);
    const { sequence } = await mcu.seen.nth(1);
    mcu.write(encodeFrames(Uint8Array.of(0x0b, 0, 0, 2, 0, 0, sequence, 0, 0xbf, 0x61)));
    await expect(asked).rejects.toMatchObject({ code: "smp.malformed" });
  });

  test("is said again, under its number, when no answer comes; then gives up", async () => {
    const { mcu, link, clock } = await scene(new ScriptedMcu().on("0/0", () => undefined));
    const asked = link.request({ ...echo, timeoutMs: 200, tries: 3 });
    const failed = expect(asked).rejects.toMatchObject({ code: "smp.timeout" });
    await mcu.seen.nth(1);
    await clock.advance(199);
    expect(mcu.seen.all).toHaveLength(1);
    await clock.advance(1000);
    await failed;
    expect(mcu.seen.all.map(({ sequence }) => sequence)).toEqual([129, 129, 129]);
  });

  test("takes the late answer to its first try as the answer to its second", async () => {
    const { mcu, link, clock } = await scene(new ScriptedMcu().on("0/0", () => undefined));
    const asked = link.request(echo);
    const first = await mcu.seen.nth(1);
    await clock.advance(1000);
    await mcu.seen.nth(2);
    mcu.reply(first, { r: "late" });
    expect(await asked).toEqual({ r: "late" });
  });

  test("ends what is left of a damaged line before it is said again", async () => {
    const { mcu, link, clock } = await scene(new ScriptedMcu().on("0/0", () => undefined));
    const far: Buffer[] = [];
    (await mcu.port.opened(1)).far.on("data", (chunk: Buffer) => void far.push(chunk));
    const failed = expect(link.request({ ...echo, tries: 2 })).rejects.toMatchObject({ code: "smp.timeout" });
    await mcu.seen.nth(1);
    await clock.advance(3_000);
    await failed;
    const lines = Buffer.concat(far).toString("latin1").split("\n");
    const frame = lines[1];
    expect(frame?.length).toBeGreaterThan(20);
    expect(lines).toEqual(["", frame, "", frame, ""]);
  });

  test("is said again at once when its answer came damaged, and the line is quiet", async () => {
    const { mcu, link, clock } = await scene(new ScriptedMcu().on("0/0", () => undefined));
    const asked = link.request({ ...echo, timeoutMs: 30_000 });
    const first = await mcu.seen.nth(1);
    mcu.write(damagedAnswer(first));
    await clock.advance(19);
    mcu.write("the rest of it, still under way\n");
    await clock.advance(19);
    expect(mcu.seen.all).toHaveLength(1);
    await clock.advance(20);
    const second = await mcu.seen.nth(2);
    expect(second.sequence).toBe(first.sequence);
    mcu.reply(second, { r: "whole" });
    expect(await asked).toEqual({ r: "whole" });
    expect(clock.pending).toEqual([]);
  });

  test("takes an answer that comes right behind something damaged", async () => {
    const { mcu, link, clock } = await scene(new ScriptedMcu().on("0/0", () => undefined));
    const asked = link.request(echo);
    const seen = await mcu.seen.nth(1);
    mcu.write(damagedAnswer({ ...seen, sequence: seen.sequence + 7 }));
    await clock.advance(10);
    mcu.reply(seen, { r: "whole" });
    await clock.advance(5_000);
    expect(await asked).toEqual({ r: "whole" });
    expect(mcu.seen.all).toHaveLength(1);
  });

  test("gives up on an MCU whose answers are all damaged, long after its fifth try", async () => {
    const mcu = new ScriptedMcu();
    mcu.on("0/0", (seen) => void mcu.write(damagedAnswer(seen)) as never);
    const { link, clock } = await scene(mcu);
    const failed = expect(link.request(echo)).rejects.toMatchObject({
      code: "smp.timeout",
      message: expect.stringContaining("came damaged"),
    });
    await mcu.seen.nth(1);
    await clock.advance(5_000);
    await failed;
    expect(mcu.seen.all).toHaveLength(40);
  });

  test("is said again sooner where answers have been seen to come sooner, and no less long in all", async () => {
    const { mcu, link, clock } = await scene(new ScriptedMcu().on("0/0", ({ body }) => ({ r: body.d ?? null })));
    for (let time = 0; time < 20; time++) await link.request(echo);
    mcu.on("0/0", () => undefined);
    const from = clock.elapsed();
    let failedAt: number | undefined;
    const failed = link.request(echo).catch((error: unknown) => {
      failedAt = clock.elapsed() - from;
      return error;
    });
    await mcu.seen.nth(21);
    for (const [afterMs, said] of [
      [199, 1],
      [1, 2],
      [199, 2],
      [1, 3],
      [399, 3],
      [1, 4],
    ] as const) {
      await clock.advance(afterMs);
      expect(mcu.seen.all.length - 20).toBe(said);
    }
    await clock.advance(5_000);
    expect(await failed).toMatchObject({ code: "smp.timeout" });
    expect(failedAt).toBe(5_000);
    expect(mcu.seen.all.length - 20).toBe(8);
  });

  test("whose time-out is told has all of it, however soon answers have come", async () => {
    const { mcu, link, clock } = await scene(new ScriptedMcu().on("0/0", ({ body }) => ({ r: body.d ?? null })));
    for (let time = 0; time < 20; time++) await link.request(echo);
    mcu.on("0/0", () => undefined);
    const asked = link.request({ ...echo, timeoutMs: 30_000 });
    const seen = await mcu.seen.nth(21);
    await clock.advance(29_999);
    expect(mcu.seen.all).toHaveLength(21);
    mcu.reply(seen, { r: "erased" });
    expect(await asked).toEqual({ r: "erased" });
  });

  test("is not said sooner for what answers took that have work behind them, or before the port was opened anew", async () => {
    const { mcu, link, clock } = await scene(new ScriptedMcu().on("0/0", ({ body }) => ({ r: body.d ?? null })));
    const silent = async (request: SmpRequest) => {
      mcu.on("0/0", () => undefined);
      const before = mcu.seen.all.length;
      const failed = expect(link.request(request)).rejects.toMatchObject({ code: "smp.timeout" });
      await mcu.seen.nth(before + 1);
      await clock.advance(5_000);
      await failed;
      mcu.on("0/0", ({ body }) => ({ r: body.d ?? null }));
      return mcu.seen.all.length - before;
    };
    await link.request({ ...echo, timeoutMs: 3_000 });
    expect(await silent(echo)).toBe(5);
    await link.request(echo);
    mcu.port.link.hangUp();
    await clock.advance(5_000);
    expect(await silent(echo)).toBe(5);
    await link.request(echo);
    expect(await silent(echo)).toBeGreaterThan(5);
  });

  test("ends the damaged line of the request before it", async () => {
    const { mcu, link, clock } = await scene(new ScriptedMcu().on("0/0", ({ body }) => ({ r: body.d ?? null })));
    const line = await mcu.port.opened(1);
    await link.connected();
    line.setFaults({ loss: 1 });
    const failed = expect(link.request({ ...echo, tries: 1 })).rejects.toMatchObject({ code: "smp.timeout" });
    await clock.advance(1_000);
    await failed;
    line.setFaults({});
    const far: Buffer[] = [];
    line.far.on("data", (chunk: Buffer) => void far.push(chunk));
    await link.request(echo);
    await link.request(echo);
    const lines = Buffer.concat(far).toString("latin1").split("\n");
    expect(lines.map((each) => each.length > 20)).toEqual([false, true, true, false]);
  });

  test("that acts is never said twice", async () => {
    const { mcu, link, clock } = await scene(new ScriptedMcu().on("72/0", () => undefined));
    const failed = expect(link.request(act)).rejects.toMatchObject({ code: "smp.timeout" });
    await mcu.seen.nth(1);
    mcu.write(damagedAnswer(await mcu.seen.nth(1)));
    await clock.advance(60_000);
    await failed;
    expect(mcu.seen.all).toHaveLength(1);
  });

  test("that acts is not given up for something damaged: its answer may come yet", async () => {
    const { mcu, link, clock } = await scene(new ScriptedMcu().on("72/0", () => undefined));
    const asked = link.request(act);
    const seen = await mcu.seen.nth(1);
    mcu.write(damagedAnswer(seen));
    await clock.advance(900);
    mcu.reply(seen, { status: 200 });
    expect(await asked).toEqual({ status: 200 });
  });

  test("can be abandoned while it waits for its answer, its turn, or the port", async () => {
    const { mcu, link } = await scene(new ScriptedMcu().on("0/0", () => undefined));
    const [first, second] = [new AbortController(), new AbortController()];
    const asked = link.request(echo, first);
    const queued = link.request(echo, second);
    await mcu.seen.nth(1);
    second.abort(new Error("not this"));
    await expect(queued).rejects.toThrow("not this");
    first.abort(new Error("nor that"));
    await expect(asked).rejects.toThrow("nor that");
    mcu.port.unplug();
    await expect(link.request(echo, { signal: AbortSignal.abort(new Error("no port")) })).rejects.toThrow("no port");
    expect(mcu.seen.all).toHaveLength(1);
  });
});

describe("the port of a link", () => {
  test("is waited for, opened again under its name, and the request that was under way is said again", async () => {
    const { mcu, link, clock, told } = await scene(new ScriptedMcu().on("0/0", () => undefined));
    const asked = link.request(echo);
    await mcu.seen.nth(1);
    mcu.port.unplug();
    await clock.advance(20_000);
    expect(told).toEqual(["up", "serial.unplugged"]);
    expect(link.isUp).toBe(false);
    expect(link.lastFailure?.code).toBe("serial.unplugged");
    expect(mcu.port.attempts).toBeGreaterThan(4);
    mcu.on("0/0", () => ({ r: "again" }));
    mcu.port.plug();
    await clock.advance(5_000);
    expect(await asked).toEqual({ r: "again" });
    expect(told).toEqual(["up", "serial.unplugged", "up"]);
  });

  test("going away fails a request that acts", async () => {
    const { mcu, link } = await scene(new ScriptedMcu().on("72/0", () => undefined));
    const asked = link.request(act);
    await mcu.seen.nth(1);
    mcu.port.unplug();
    await expect(asked).rejects.toMatchObject({ code: "serial.unplugged" });
  });

  test("may be away at the start; a request waits for it", async () => {
    const mcu = new ScriptedMcu().on("0/0", () => ({ r: "hi" }));
    mcu.port.unplug();
    const { link, clock, told } = await scene(mcu);
    const asked = link.request(echo);
    await clock.advance(10_000);
    expect(told).toEqual(["serial.port-not-found"]);
    mcu.port.plug();
    await clock.advance(5_000);
    expect(await asked).toEqual({ r: "hi" });
  });

  test("that breaks again and again is tried with growing delays", async () => {
    const { mcu, clock } = await scene();
    for (let time = 1; time <= 4; time++) {
      (await mcu.port.opened(time)).hangUp();
      await clock.sleeping();
      const delayMs = 125 * 2 ** (time - 1);
      expect(clock.pending).toEqual([delayMs]);
      await clock.advance(delayMs);
    }
    await clock.advance(2_000);
    mcu.port.link.hangUp();
    await clock.sleeping();
    expect(clock.pending).toEqual([125]);
  });

  test("has to be there for open", async () => {
    const mcu = new ScriptedMcu();
    mcu.port.unplug();
    await expect(SmpLink.open({ port: mcu.port })).rejects.toMatchObject({ code: "serial.port-not-found" });
    mcu.port.plug();
    await using link = await SmpLink.open({ port: mcu.port });
    expect(link.isUp).toBe(true);
  });

  test("is let go of by close, which rejects whoever waits", async () => {
    const { mcu, link } = await scene(new ScriptedMcu().on("0/0", () => undefined));
    const asked = [link.request(echo), link.request(echo)];
    await mcu.seen.nth(1);
    const rejected = asked.map((each) => expect(each).rejects.toMatchObject({ code: "serial.closed" }));
    await link.close();
    await link.close();
    await Promise.all(rejected);
    expect(mcu.port.link.near.destroyed).toBe(true);
    await expect(link.request(echo)).rejects.toMatchObject({ code: "serial.closed" });
  });
});

describe("over a line that loses, doubles and changes one byte in a thousand", () => {
  test("hundreds of requests all get the right answer", async () => {
    const faults = { loss: 0.0004, duplication: 0.0003, corruption: 0.0003 };
    const mcu = new ScriptedMcu({ ...faults, random: seededRandom(11) });
    mcu.on("0/0", ({ body }) => ({ r: body.d ?? null }));
    const { link, clock } = await scene(mcu);
    const texts = Array.from({ length: 300 }, (_, index) => `${index}`.padStart(150, "."));
    const answers: unknown[] = [];
    let done = false;
    const asking = (async () => {
      for (const d of texts) answers.push((await link.request({ ...echo, body: { d }, tries: 20 })).r);
      done = true;
    })();
    while (!done) await clock.advance(1_000);
    await asking;
    expect(answers).toEqual(texts);
    expect(mcu.port.link.damagedBytes).toBeGreaterThan(50);
  });

  test("a stall is waited for", async () => {
    const { mcu, link, clock } = await scene(new ScriptedMcu().on("0/0", () => ({ r: "hi" })));
    const line = await mcu.port.opened(1);
    line.stall();
    const asked = link.request(echo);
    await clock.advance(2_500);
    line.resume();
    expect(await asked).toEqual({ r: "hi" });
  });
});

describe("the longest packet", () => {
  test("is the MCU's buffer less length and CRC, asked once for each opening of the port", async () => {
    const { mcu, link, clock } = await scene();
    expect(await link.packetBytes()).toBe(380);
    expect(await link.packetBytes()).toBe(380);
    expect(mcu.asked).toEqual(["0/6"]);
    mcu.on("0/6", () => ({ buf_size: 1024 }));
    mcu.port.link.hangUp();
    await clock.advance(1_000);
    expect(await link.packetBytes()).toBe(1020);
  });

  test("is asked again after a reset and after a silence, for other firmware may be running", async () => {
    const { mcu, link, clock } = await scene(new ScriptedMcu().on("0/5", () => ({})).on("0/0", () => undefined));
    expect(await link.packetBytes()).toBe(380);
    mcu.on("0/6", () => ({ buf_size: 256 }));
    await link.request({ operation: "write", group: 0, command: 5 });
    expect(await link.packetBytes()).toBe(252);
    mcu.on("0/6", () => ({ buf_size: 128 }));
    const silent = expect(link.request({ ...echo, tries: 2 })).rejects.toMatchObject({ code: "smp.timeout" });
    await mcu.seen.nth(4);
    await clock.advance(2_000);
    await silent;
    expect(await link.packetBytes()).toBe(124);
  });

  test("bounds every request: a longer one is not sent", async () => {
    const { mcu, link } = await scene();
    mcu.on("0/6", () => ({ buf_size: 200 })).on("0/0", () => ({ r: "" }));
    const text = (bytes: number): SmpRequest => ({ ...echo, body: { d: "x".repeat(bytes - 13) } });
    await expect(link.request(text(197))).rejects.toMatchObject({
      code: "smp.too-large",
      message: "the request has 197 bytes, and the MCU takes 196",
    });
    expect(mcu.asked).toEqual(["0/6"]);
    await link.request(text(196));
    expect(mcu.asked).toEqual(["0/6", "0/0"]);
  });

  test("is Zephyr's usual one where the MCU does not tell", async () => {
    const { mcu, link } = await scene();
    mcu.answers.delete("0/6");
    expect(await link.packetBytes()).toBe(380);
  });
});

describe("a request of the MCU's", () => {
  const push = packetVector("telemetry from the MCU");

  test("is answered by the handler of its group, while one of ours is under way", async () => {
    const { mcu, link } = await scene(new ScriptedMcu().on("0/0", () => undefined));
    link.serve(71, async ({ body }) => ({ n: body.n ?? null }));
    const asked = link.request(echo);
    const ours = await mcu.seen.nth(1);
    mcu.write(encodeFrames(fromHex(push.hex)));
    expect(await mcu.seen.nth(2)).toMatchObject({
      operation: "write-response",
      group: 71,
      command: 1,
      sequence: push.sequence,
      body: { n: 0 },
    });
    mcu.reply(ours, { r: 1 });
    expect(await asked).toEqual({ r: 1 });
  });

  test("is refused where nobody serves its group, and where the handler refuses", async () => {
    const { mcu, link } = await scene();
    await link.connected();
    const send = () => mcu.write(encodeFrames(fromHex(push.hex)));
    send();
    expect((await mcu.seen.nth(1)).body).toEqual({ rc: 8 });
    const stop = link.serve(71, async () => ({}));
    link.serve(71, async () => {
      throw new SmpRefusal("take telemetry", { group: 71, rc: 3 });
    });
    stop(); // of a handler that was replaced: takes nothing away
    send();
    expect((await mcu.seen.nth(2)).body).toEqual({ err: { group: 71, rc: 3 } });
  });

  test("is not answered when the handler fails: it will be made again", async () => {
    const { mcu, link } = await scene();
    await link.connected();
    let tries = 0;
    link.serve(71, async () => {
      tries += 1;
      if (tries === 1) throw new LandfallError("hub.not-connected", "later");
      return { n: 0 };
    });
    mcu.write(encodeFrames(fromHex(push.hex)));
    mcu.write(encodeFrames(fromHex(push.hex)));
    expect((await mcu.seen.nth(1)).body).toEqual({ n: 0 });
    expect(tries).toBe(2);
  });
});

test("text beside the packets is told line by line", async () => {
  const { mcu, link } = await scene();
  const lines: string[] = [];
  link.on("text", (line) => void lines.push(line));
  await link.connected();
  mcu.write("*** Booting ***\r\n<inf> up\n");
  await new Promise((resolve) => setImmediate(resolve));
  expect(lines).toEqual(["*** Booting ***", "<inf> up"]);
});

test("every packet can be watched, without its body", async () => {
  const traces: unknown[] = [];
  const watch = (trace: unknown) => void traces.push(trace);
  subscribe("landfall:smp:packet", watch);
  try {
    const { link } = await scene(new ScriptedMcu().on("0/0", () => ({ r: "secret" })));
    await link.request(echo);
  } finally {
    unsubscribe("landfall:smp:packet", watch);
  }
  const packet = { port: "memory", group: 0, command: 0, sequence: 129 };
  expect(traces).toEqual([
    { ...packet, direction: "sent", operation: "write", bodyBytes: 6 },
    { ...packet, direction: "received", operation: "write-response", bodyBytes: 10 },
  ]);
});
