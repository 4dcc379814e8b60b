import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { Interruption } from "../../src/cli/interruption.ts";
import { runProgram } from "../../src/cli/program.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { readImageFile } from "../../src/serial/firmware/image-file.ts";
import { fakeTerminal } from "../support/fake-terminal.ts";
import { firmwareImage, type ImageRecipe } from "../support/firmware-image.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { ScriptedBootloader } from "../support/scripted-bootloader.ts";
import { ScriptedMcu } from "../support/scripted-mcu.ts";

const folder = new ScratchFolder();
const disposables: (() => unknown)[] = [];
afterEach(async () => {
  for (const dispose of disposables.splice(0).reverse()) await dispose();
});

/** An MCU behind a Unix socket, whose restarts take no time. */
async function scene() {
  const mcu = new ScriptedMcu();
  const quick: Clock = { ...systemClock, sleep: () => nextTurn() };
  const bootloader = new ScriptedBootloader(mcu, quick, readImageFile(firmwareImage({ version: [1, 0, 0, 0] })));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    mcu.attach(socket);
  });
  const path = folder.file(`mcu-${disposables.length}-${Math.floor(performance.now())}.sock`);
  server.listen(path);
  await once(server, "listening");
  disposables.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const unplug = (): undefined => {
    for (const socket of sockets) socket.destroy();
  };
  return { mcu, bootloader, port: `unix:${path}`, unplug };
}

async function landfall(args: readonly string[], { isTTY = false, signal = new AbortController().signal } = {}) {
  const terminal = fakeTerminal({ isTTY });
  const code = await runProgram({ args: ["mcu", ...args], env: { HOME: folder.path }, terminal, signal });
  return { code, ...terminal.written };
}

const imageFile = (name: string, recipe: ImageRecipe) => folder.write(name, firmwareImage(recipe));

describe("landfall mcu info", () => {
  test("tells what the MCU tells, and leaves out what it does not know", async () => {
    const { mcu, port } = await scene();
    mcu.on("70/0", () => ({ rid: "press-7", kinds: ["sas", "p256"], life: 86_400, boot: 7 }));
    mcu.on("0/7", ({ body }) => ({ output: body.format === "i" ? "press\u001b[2J" : "Zephyr" }));
    mcu.on("2/1", () => ({ stat_list: ["link", "gone", "em\u001b[2Jpty"] }));
    mcu.on("2/0", ({ body }) => {
      if (body.name === "gone") return { err: { group: 2, rc: 3 } };
      return { name: body.name ?? null, fields: body.name === "link" ? { received: 12, dropped: 1 } : {} };
    });
    const { code, out, err } = await landfall(["info", "--port", port]);
    expect([code, err]).toEqual([0, ""]);
    expect(out.split("\n")).toEqual([
      `port             ${port}`,
      "registration id  press-7",
      "proves it with   sas, p256",
      "board            press\\u001b[2J",
      "system           Zephyr",
      expect.stringMatching(/^slot 0 {11}1\.0\.0 {2}running, confirmed {2}[0-9a-f]{16}$/),
      "longest packet   380 bytes",
      "statistics       link: dropped 1, received 12",
      "                 em\\u001b[2Jpty: ",
      "",
    ]);
  });

  test("does so in JSON, from the port of the configuration", async () => {
    const { mcu, port } = await scene();
    mcu.on("2/1", () => ({ stat_list: ["link"] })).on("2/0", () => ({ name: "link", fields: { received: 12 } }));
    const file = await folder.write(
      "mcu.toml",
      `[provisioning]
source = "dps"
id_scope = "0ne00000000"
[provisioning.attestation]
method = "symmetric_key"
registration_id = "press-7"
symmetric_key = { value = "AAECAwQFBgcICQoLDA0ODw==" }
[mcu]
port = "${port}"
`,
    );
    const { code, out } = await landfall(["info", "-c", file, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      schema: "landfall.mcu-info/1",
      port,
      packetBytes: 380,
      statistics: { link: { received: 12 } },
      slots: [{ slot: 0, version: "1.0.0", active: true, hash: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    });
  });

  test.each([
    ["no action", [], 2, "expected info, flash or monitor"],
    ["an unknown action", ["toString"], 2, "expected info, flash or monitor"],
    ["what info has no use for", ["info", "press.bin"], 2, 'mcu info: unexpected argument "press.bin"'],
    ["an address that is none", ["info", "--port", "tcp://nowhere"], 2, "serial.address"],
    ["a rate that is none", ["info", "--port", "/dev/ttyS0", "--baud", "fast"], 2, "--baud"],
    ["a port that is not there", ["info", "--port", "unix:/absent.sock"], 1, "serial.port-not-found"],
    ["no port at all", ["info", "-c", "/absent.toml"], 2, "config.not-found"],
  ] as const)("refuses %s", async (_, args, exitCode, says) => {
    const { code, err } = await landfall(args);
    expect([code, err]).toEqual([exitCode, expect.stringContaining(says)]);
  });
});

describe("a port that goes", () => {
  test("ends info, which does not wait for it", async () => {
    const { mcu, port, unplug } = await scene();
    mcu.on("0/6", () => unplug());
    const { code, out, err } = await landfall(["info", "--port", port]);
    expect([code, out]).toEqual([1, ""]);
    expect(err.split("\n")[0]).toBe(`error: ${port} went away`);
    expect(err).toContain("serial.unplugged");
  });

  test("is waited for by flash, which says so once and goes on", async () => {
    const { mcu, bootloader, port, unplug } = await scene();
    mcu.on("0/7", () => {
      mcu.on("0/7", () => ({ rc: 8 }));
      return unplug();
    });
    const file = await imageFile("unplugged.bin", { version: [1, 1, 0, 0] });
    const { code, err } = await landfall(["flash", file, "--port", port]);
    expect(code).toBe(0);
    expect(err.split("\n").filter((line) => line.includes("went away"))).toEqual([
      `waiting for the port: ${port} went away`,
    ]);
    expect(bootloader.running.image.version).toBe("1.1.0");
  });

  test("is told once when it cannot be opened at all", async () => {
    const { err } = await landfall(["info", "--port", "unix:/absent.sock"]);
    expect(err.split("\n").filter((line) => line.includes("could not open"))).toHaveLength(1);
  });
});

describe("landfall mcu flash", () => {
  test("updates the MCU and tells how it goes on", async () => {
    const { bootloader, port } = await scene();
    const file = await imageFile("good.bin", { version: [1, 1, 0, 0], codeBytes: 20_000 });
    const { code, out, err } = await landfall(["flash", file, "--port", port]);
    expect(code).toBe(0);
    expect(out).toMatch(/^updated from 1\.0\.0 to 1\.1\.0 in \d+\.\d s, confirmed\n$/);
    const lines = err.split("\n");
    expect(lines.filter((line) => /^ *\d+ % {2}/.test(line))).toHaveLength(10);
    expect(lines).toContainEqual(expect.stringMatching(/^100 % {2}19\.6 of 19\.6 KiB {2}[\d.]+ KiB\/s$/));
    expect(lines).toContain("restarting the MCU");
    expect(bootloader.running.image.version).toBe("1.1.0");
  });

  test("draws a bar on a terminal, and prints the result in JSON", async () => {
    const { port } = await scene();
    const file = await imageFile("bar.bin", { version: [1, 1, 0, 0] });
    const { code, out, err } = await landfall(["flash", file, "--port", port, "--json"], { isTTY: true });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      schema: "landfall.mcu-flash/1",
      outcome: "updated",
      from: "1.0.0",
      to: "1.1.0",
    });
    expect(err).toContain(`\r\x1b[K[${"#".repeat(40)}] 100 %  5.0 of 5.0 KiB`);
  });

  test("says so when there is nothing to do", async () => {
    const { port } = await scene();
    const file = await imageFile("same.bin", { version: [1, 0, 0, 0] });
    expect(await landfall(["flash", file, "--port", port])).toMatchObject({
      code: 0,
      out: "the MCU runs this image already: 1.0.0, confirmed\n",
    });
  });

  test("exits with 3 when the former firmware came back", async () => {
    const { bootloader, port } = await scene();
    bootloader.behaviour.start = "refused";
    const file = await imageFile("bad.bin", { version: [1, 1, 0, 0] });
    const { code, err } = await landfall(["flash", file, "--port", port]);
    expect([code, err]).toEqual([3, expect.stringContaining("firmware.reverted")]);
  });

  test.each([
    ["no file", async () => [], "expected the file"],
    ["a file that is not there", async () => ["/absent.bin"], "ENOENT"],
    ["a file that is no image", async () => [await folder.write("text", "no image")], "firmware.unusable"],
    ["an older image", async () => [await imageFile("old.bin", { version: [0, 9, 0, 0] })], "firmware.downgrade"],
  ])("exits with 2 for %s", async (_, operands, says) => {
    const { bootloader, port } = await scene();
    const { code, err } = await landfall(["flash", ...(await operands()), "--port", port]);
    expect([code, err]).toEqual([2, expect.stringContaining(says)]);
    expect(bootloader.target.pieces).toBe(0);
  });
});

describe("landfall mcu monitor", () => {
  test("prints what the MCU prints, and its messages when asked, until it is interrupted", async () => {
    const { mcu, port } = await scene();
    const ending = new AbortController();
    mcu.on("71/0", () => ({ boot: 1 }));
    const done = landfall(["monitor", "--port", port, "--telemetry", "--json"], { signal: ending.signal });
    await mcu.seen.nth(1);
    mcu.write("*** Booting ***\r\n");
    mcu.send({
      version: 2,
      operation: "write",
      group: 71,
      command: 1,
      sequence: 0,
      body: { boot: 1, n: 0, ms: 5, data: { t: 21.5, raw: Uint8Array.of(1) } },
    });
    expect(await mcu.seen.nth(2)).toMatchObject({ operation: "write-response", group: 71, body: { n: 0 } });
    ending.abort(new Interruption("SIGINT"));
    const { code, out } = await done;
    expect(code).toBe(0);
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      expect.objectContaining({ schema: "landfall.mcu-line/1", kind: "text", text: "*** Booting ***" }),
      expect.objectContaining({ kind: "message", number: 0, uptimeMs: 5, data: { t: 21.5, raw: "AQ==" } }),
    ]);
    expect(mcu.bodies("71/0")).toEqual([{ on: true }, { on: false }]);
  });
});
