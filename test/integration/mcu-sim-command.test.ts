import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { makeMcuImage } from "../../firmware-sim/index.ts";
import { systemClock } from "../../src/clock.ts";
import { uploadImage } from "../../src/serial/firmware/image-upload.ts";
import { IdentityGroup } from "../../src/serial/groups/identity-group.ts";
import { ImageGroup } from "../../src/serial/groups/image-group.ts";
import { OsGroup } from "../../src/serial/groups/os-group.ts";
import { SettingsGroup } from "../../src/serial/groups/settings-group.ts";
import { TpmTunnel } from "../../src/serial/groups/tpm-tunnel.ts";
import { portAt } from "../../src/serial/port-at.ts";
import { SmpLink } from "../../src/serial/smp-link.ts";
import { RunningProcess, runProcess } from "../support/landfall-process.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { lacks } from "../support/system-peer.ts";

/** The built program. `npm test` builds it first. */
const program = fileURLToPath(new URL("../../dist/firmware-sim/cli/main.js", import.meta.url));
const folder = new ScratchFolder();

interface Ready {
  readonly schema: string;
  readonly port: string;
  readonly registrationId: string;
  readonly symmetricKey?: string;
  readonly version: string;
  readonly boot: number;
}

async function start(...args: string[]): Promise<{ simulator: RunningProcess; ready: Ready }> {
  const simulator = new RunningProcess(process.execPath, [program, ...args]);
  return { simulator, ready: (await simulator.json()) as unknown as Ready };
}

const linkTo = ({ port }: Ready): Promise<SmpLink> => SmpLink.open({ port: portAt(port) });
const run = (...args: string[]) => runProcess(process.execPath, [program, ...args]);

describe("landfall-mcu-sim", () => {
  const places: [string, string[], RegExp][] = [
    ["a serial device", [], /^\/dev\/pts\/\d+$/],
    ["a Unix socket", ["--unix", folder.file("mcu.sock")], /^unix:.+mcu\.sock$/],
    ["a TCP port", ["--tcp", "0"], /^tcp:\/\/127\.0\.0\.1:\d+$/],
  ];
  if (!lacks("socat")) places.push(["a serial device that socat makes", ["--socat"], /^\/dev\/pts\/\d+$/]);

  test.each(places)("is found at %s", async (_, args, port) => {
    const { simulator, ready } = await start(...args);
    await using _simulator = simulator;
    expect(ready).toMatchObject({ schema: "landfall.mcu-sim/1", registrationId: "mcu-sim", version: "1.0.0" });
    expect(ready.port).toMatch(port);
    await using link = await linkTo(ready);
    const text = "x".repeat(500);
    expect(await new OsGroup(link).echo(text)).toBe(text);
    expect((await new IdentityGroup(link).identity()).boot).toBe(ready.boot);
  });

  test("ends with 0 when it is told to, and takes its device and link along", async () => {
    const path = folder.file("tty-mcu");
    const { simulator, ready } = await start("--link", path);
    expect(ready.port).toBe(path);
    await using link = await linkTo(ready);
    expect(await new OsGroup(link).echo("hi")).toBe("hi");
    const down = once(link, "down");
    simulator.kill("SIGTERM");
    expect(await simulator.exited).toBe(0);
    expect((await down)[0]).toMatchObject({ code: "serial.unplugged" });
    expect(lstatSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  test("keeps images, settings and key over a kill in the middle of an upload, and what was confirmed over another", async () => {
    const args = ["-v", "--flash", folder.file("flash"), "--link", folder.file("tty-flash")];
    const first = await start(...args);
    await using link = await linkTo(first.ready);
    const settings = new SettingsGroup(link);
    await settings.write("label", "line 7");
    await settings.commit();

    const image = makeMcuImage({ version: "1.1.0", codeBytes: 30_000 });
    let restarted: ReturnType<typeof start> | undefined;
    const onProgress = ({ receivedBytes }: { receivedBytes: number }): void => {
      if (restarted !== undefined || receivedBytes < 10_000) return;
      first.simulator.kill("SIGKILL");
      restarted = first.simulator.exited.then(() => start(...args));
    };
    await uploadImage(link, image, { clock: systemClock, onProgress });
    const second = await restarted;
    if (second === undefined) throw new Error("the upload never came to 10 000 bytes");
    expect(second.ready.symmetricKey).toBe(first.ready.symmetricKey);
    expect(second.ready.boot).not.toBe(first.ready.boot);
    expect(await settings.read("label")).toBe("line 7");

    const images = new ImageGroup(link);
    await images.test(image.slice(-32));
    await new OsGroup(link).reset();
    await second.simulator.says(/started 1\.1\.0/);
    await images.confirm();
    second.simulator.kill("SIGKILL");
    await second.simulator.exited;

    const { simulator, ready } = await start(...args);
    await using _simulator = simulator;
    expect(ready.version).toBe("1.1.0");
    expect((await images.slots())[0]).toMatchObject({ version: "1.1.0", active: true, confirmed: true });
  });

  test("says what it was asked to do and what it did, and misbehaves as told", async () => {
    const { simulator, ready } = await start("-v", "--misbehave", "lose-answer:0/0", "--misbehave", "chatter::always");
    await using _simulator = simulator;
    await using link = await linkTo(ready);
    expect(await new OsGroup(link).echo("hi")).toBe("hi");
    await simulator.says(/started 1\.0\.0, boot \d+\nwrite 0\/0\nwrite 0\/0\n/);
  });

  test("does not show a key that it was given", async () => {
    const key = await folder.write("key", Buffer.alloc(32, 7).toString("base64"));
    const { simulator, ready } = await start("--key-file", key, "--registration-id", "press-7", "--seed", "4");
    await using _simulator = simulator;
    expect(ready).not.toHaveProperty("symmetricKey");
    expect(ready.registrationId).toBe("press-7");
  });

  test.each([
    [["--nonsense"], /nonsense/],
    [["--tcp", "http"], /--tcp: expected a whole number, got "http"/],
    [["--tcp", "0", "--socat"], /one of --unix, --tcp/],
    [["--misbehave", "explode"], /--misbehave: expected one of lose-request, .+, got "explode"/],
    [["--key-file", "/nowhere/key"], /--key-file: \/nowhere\/key cannot be read/],
    [["--flash", "/nowhere/flash"], /the flash file \/nowhere\/flash cannot be opened/],
    [["--buffer-bytes", "1"], /bufferBytes: expected a whole number from 256 to 8192/],
    [["--unix", "/nowhere/sock"], /cannot listen at \/nowhere\/sock/],
  ])("ends with 2 for %j", async (args, message) => {
    const { code, out, err } = await run(...args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(message);
  });

  test("ends with 2 for a file that is no flash, and for a link where something else is", async () => {
    const file = await folder.write("plain", "something of somebody's");
    expect(await run("--flash", file)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/expected \d+ bytes, got 23/),
    });
    expect(await run("--link", file)).toMatchObject({
      code: 2,
      err: expect.stringContaining(`with script at ${file}`),
    });
    expect(existsSync(file)).toBe(true);
  });

  test("puts its link in the place of one that was left behind", async () => {
    const path = folder.file("tty-left");
    symlinkSync("/dev/pts/999999", path);
    const { simulator, ready } = await start("--link", path);
    await using _simulator = simulator;
    await using link = await linkTo(ready);
    expect(await new OsGroup(link).echo("hi")).toBe("hi");
  });

  test("explains itself", async () => {
    const { code, out } = await run("--help");
    expect(code).toBe(0);
    expect(out).toContain("usage: landfall-mcu-sim");
  });
});

describe.skipIf(lacks("swtpm"))("a TPM behind the MCU", () => {
  test("executes what comes through the tunnel, and is missed by name when it is gone", async () => {
    const path = folder.file("tpm.sock");
    const tpm = spawn("swtpm", [
      ...["socket", "--tpm2", "--tpmstate", `dir=${folder.path}`, "--flags", "not-need-init,startup-clear"],
      ...["--server", `type=unixio,path=${path}`, "--ctrl", `type=unixio,path=${path}.ctrl`],
    ]);
    try {
      while (!existsSync(path)) await new Promise((resolve) => setImmediate(resolve));
      const { simulator, ready } = await start("--tpm", path);
      await using _simulator = simulator;
      await using link = await linkTo(ready);
      expect((await new IdentityGroup(link).identity()).kinds).toEqual(["sas", "tpm"]);
      const tunnel = new TpmTunnel(link);
      // TPM2_GetRandom of 16 bytes.
      const random = await tunnel.transmit(Buffer.from("80010000000c0000017b0010", "hex"));
      expect(Buffer.from(random).toString("hex")).toMatch(/^80010000001c000000000010[0-9a-f]{32}$/);
      // Longer than a packet, and nonsense: the TPM says so.
      const long = Buffer.alloc(1_500);
      Buffer.from("8001000005dc0000014b", "hex").copy(long);
      expect((await tunnel.transmit(long)).length).toBe(10);
      const exited = once(tpm, "exit");
      tpm.kill("SIGKILL");
      await exited;
      await expect(tunnel.transmit(Buffer.from("80010000000c0000017b0010", "hex"))).rejects.toMatchObject({
        fault: { group: 70, rc: 1 },
      });
    } finally {
      tpm.kill("SIGKILL");
    }
  });
});
