import { once } from "node:events";
import { beforeAll, describe, expect, test } from "vitest";
import { openLine, SimulatedMcu } from "../../firmware-sim/index.ts";
import { systemClock } from "../../src/clock.ts";
import type { AttestationSettings } from "../../src/config/settings.ts";
import { buildEngine } from "../../src/keys/engine/build-engine.ts";
import { openMcu } from "../../src/keys/mcu/open-mcu.ts";
import { createLogger, type LogRecord } from "../../src/log.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { testIdentity } from "../support/simulated-mcu.ts";
import { StartedThreads } from "../support/started-threads.ts";
import { lacks } from "../support/system-peer.ts";

const identity: AttestationSettings = {
  method: "x509",
  source: { kind: "pem", certificate: "mcu:", privateKey: "mcu:" },
};

describe.skipIf(lacks("cc"))("the thread that has the port of an MCU", () => {
  const scratch = new ScratchFolder();
  const path = scratch.file("mcu.sock");
  const port = `unix:${path}`;

  beforeAll(async () => {
    process.env.LANDFALL_ENGINES = scratch.file("engines");
    await buildEngine({ folder: scratch.file("engines") });
  });

  test("is started again after a crash, and everybody goes on over the same link", async () => {
    using mcu = new SimulatedMcu({ identity: testIdentity, seed: 7 });
    await using _ = await openLine((stream) => mcu.attach(stream), { kind: "unix", path });
    using threads = new StartedThreads();
    const records: LogRecord[] = [];
    const log = createLogger("info", (record) => records.push(record));
    await using opened = await openMcu({ port, baudRate: 115_200 }, identity, {
      clock: systemClock,
      random: () => 0,
      log,
    });
    const { link, tlsKey } = opened;
    await link.connected();
    const echo = { operation: "write", group: 0, command: 0, body: { d: "hello" } } as const;
    expect(await link.request(echo)).toEqual({ r: "hello" });

    const [down, up] = [once(link, "down"), once(link, "up")];
    await threads.endLatest();
    expect((await down)[0]).toMatchObject({ code: "serial.unplugged" });
    expect(await link.request(echo)).toEqual({ r: "hello" });
    await up;
    expect(threads.all).toHaveLength(2);
    await expect(tlsKey?.secureContext({})).resolves.toBeDefined();
    expect(threads.all).toHaveLength(2);
  });

  test("is not started again when it was told to end", async () => {
    using mcu = new SimulatedMcu({ identity: testIdentity, seed: 7 });
    await using _ = await openLine((stream) => mcu.attach(stream), { kind: "unix", path });
    using threads = new StartedThreads();
    const records: LogRecord[] = [];
    const log = createLogger("warn", (record) => records.push(record));
    const opened = await openMcu({ port, baudRate: 115_200 }, identity, { clock: systemClock, random: () => 0, log });
    await opened.close();
    await expect(opened.tlsKey?.secureContext({})).rejects.toMatchObject({ code: "key.unusable" });
    expect(threads.all).toHaveLength(1);
    expect(records).toEqual([]);
  });
});
