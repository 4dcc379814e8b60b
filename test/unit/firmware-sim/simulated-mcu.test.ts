import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import {
  type ExecutedCommand,
  makeMcuImage,
  SimulatedMcu,
  type SimulatedMcuOptions,
} from "../../../firmware-sim/index.ts";
import { uploadImage } from "../../../src/serial/firmware/image-upload.ts";
import { CommandsGroup } from "../../../src/serial/groups/commands-group.ts";
import { IdentityGroup } from "../../../src/serial/groups/identity-group.ts";
import { ImageGroup } from "../../../src/serial/groups/image-group.ts";
import { OsGroup } from "../../../src/serial/groups/os-group.ts";
import { SettingsGroup } from "../../../src/serial/groups/settings-group.ts";
import { StatisticsGroup } from "../../../src/serial/groups/statistics-group.ts";
import { allowTelemetry, type McuMessage, telemetryReceiver } from "../../../src/serial/groups/telemetry-group.ts";
import { SmpLink } from "../../../src/serial/smp-link.ts";
import { MemoryPort } from "../../../src/testing/memory-port.ts";
import { Sightings } from "../../../src/testing/sightings.ts";
import { duplexPair } from "../../support/duplex-pair.ts";
import { RushingClock } from "../../support/rushing-clock.ts";

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function scene(options: SimulatedMcuOptions = {}) {
  const clock = new RushingClock();
  const mcu = new SimulatedMcu({ seed: 1, clock, ...options });
  const executed: ExecutedCommand[] = [];
  mcu.on("executed", (command) => void executed.push(command));
  const link = await SmpLink.open({ port: new MemoryPort((far) => mcu.attach(far)), clock });
  open.push(
    () => mcu.close(),
    () => link.close(),
  );
  const commands = new CommandsGroup(link, clock);
  const count = (id: string) => commands.execute({ id, boot: mcu.boot ?? 0, name: "count" });
  return { clock, mcu, link, commands, executed, count, os: new OsGroup(link) };
}

describe("what goes wrong when it shall", () => {
  test.each([
    ["lose-request", "said again"],
    ["lose-answer", "said again"],
    ["corrupt-answer", "said again"],
    ["wrong-sequence", "said again"],
    ["repeat-answer", "said once"],
    ["chatter", "said once"],
  ] as const)("%s: a command is executed once, and %s", async (does, said) => {
    const { mcu, executed, count, link } = await scene();
    mcu.misbehave({ does, group: 72 });
    expect(await count("a")).toEqual({ status: 200, result: { count: 1 } });
    expect(executed.map(({ id }) => id)).toEqual(["a"]);
    const { received } = await new StatisticsGroup(link).read("link");
    expect(received).toBe(said === "said again" ? 3 : 2);
    // Once is once.
    expect(await count("b")).toEqual({ status: 200, result: { count: 2 } });
  });

  test("delay: the answer comes late, and nothing else before it", async () => {
    const { mcu, clock, os } = await scene();
    mcu.misbehave({ does: "delay", delayMs: 700 });
    await os.echo("late");
    expect(clock.elapsed()).toBe(700);
  });

  test("refuse: with a code of SMP, and nothing is executed", async () => {
    const { mcu, executed, count } = await scene();
    mcu.misbehave({ does: "refuse", group: 72, code: 10 });
    await expect(count("a")).rejects.toMatchObject({ code: "smp.busy" });
    expect(executed).toEqual([]);
  });

  test("hang: silent until the watchdog, then another life", async () => {
    const { mcu, os, clock } = await scene({ watchdogMs: 2_500 });
    const { boot } = mcu;
    const told: string[] = [];
    mcu.on("ended", (why) => told.push(why));
    mcu.misbehave({ does: "hang", group: 0, command: 0 });
    const echo = os.echo("after the watchdog");
    expect(await echo).toBe("after the watchdog");
    expect(clock.elapsed()).toBeGreaterThanOrEqual(2_500);
    expect(told).toEqual(["watchdog"]);
    expect(mcu.boot).not.toBe(boot);
  });

  test("reset: executed, not answered, and forgotten", async () => {
    const { mcu, executed, count } = await scene();
    mcu.misbehave({ does: "reset", group: 72 });
    await expect(count("a")).rejects.toMatchObject({ fault: { group: 72, rc: 6 } });
    expect(executed).toHaveLength(1);
  });

  test("counts what fits: after so many, so many times, until it shall behave", async () => {
    const { mcu, os } = await scene();
    mcu.misbehave({ does: "refuse", group: 0, command: 0, after: 1, times: 2 });
    const outcomes = [];
    for (let asked = 0; asked < 4; asked++) outcomes.push(await os.echo("x").catch(() => "refused"));
    expect(outcomes).toEqual(["x", "refused", "refused", "x"]);
    mcu.misbehave({ does: "refuse", times: Number.POSITIVE_INFINITY });
    await expect(os.echo("x")).rejects.toMatchObject({ code: "smp.busy" });
    mcu.behave();
    expect(await os.echo("x")).toBe("x");
  });

  test("power cut before a late request is executed: it never is", async () => {
    const { mcu, count, executed } = await scene();
    mcu.misbehave({ does: "delay", delayMs: 900 });
    const counted = count("a");
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
    mcu.cutPower();
    mcu.restorePower();
    await expect(counted).rejects.toMatchObject({ fault: { group: 72, rc: 6 } });
    expect(executed).toEqual([]);
  });

  test("power cut while it erases: neither old nor new is lost", async () => {
    const { mcu, link, os } = await scene({ eraseMs: 5_000 });
    const asked = once(mcu, "asked");
    const erasing = link.request({ operation: "write", group: 1, command: 5, timeoutMs: 20_000 });
    await asked;
    mcu.cutPower();
    expect(mcu.isRunning).toBe(false);
    mcu.restorePower();
    await expect(erasing).rejects.toMatchObject({ code: "smp.timeout" });
    expect(await os.echo("back")).toBe("back");
  });
});

test("an upload begins whole although its first piece was lost again and again", async () => {
  const { mcu, link, clock } = await scene();
  mcu.misbehave({ does: "lose-request", group: 1, command: 1, times: 8 });
  await uploadImage(link, makeMcuImage({ version: "1.1.0" }), { clock });
  expect((await new ImageGroup(link).slots())[1]?.version).toBe("1.1.0");
});

describe("messages", () => {
  test("come in their order, each once, whatever is lost on the way", async () => {
    const { mcu, link } = await scene();
    const passed = new Sightings<McuMessage>();
    link.serve(
      71,
      telemetryReceiver(async (message) => passed.add(message)),
    );
    const settings = new SettingsGroup(link);
    await settings.write("sampling/period_ms", 3_600_000);
    await settings.commit();
    for (let index = 0; index < 20; index++) mcu.push({ index }, { kind: "test" });
    const answered: number[] = [];
    mcu.on("answered", ({ n }) => void answered.push(n));
    await allowTelemetry(link, true);
    await passed.nth(20);
    expect(passed.all.map(({ data }) => data.index)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(passed.all[0]?.properties).toEqual({ kind: "test" });
    while (answered.length < 20) await once(mcu, "answered");
    expect(answered).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  test("are the same of the same seed, and say of an alarm", async () => {
    const readings = async (): Promise<unknown> => {
      const { link } = await scene();
      const passed = new Sightings<McuMessage>();
      link.serve(
        71,
        telemetryReceiver(async (message) => passed.add(message)),
      );
      await new SettingsGroup(link).write("alarm", true);
      await new SettingsGroup(link).commit();
      await allowTelemetry(link, true);
      await passed.nth(3);
      return passed.all.slice(0, 3).map(({ uptimeMs: _, ...message }) => message);
    };
    const first = await readings();
    expect(first).toMatchObject([{ properties: { alarm: "on" }, data: { temperature: expect.any(Number) } }, {}, {}]);
    expect(await readings()).toEqual(first);
  });
});

describe("a board", () => {
  test("is the same of the same seed, and another of none", () => {
    const [one, same, other] = [{ seed: 5 }, { seed: 5 }, {}].map((options) => new SimulatedMcu(options));
    expect(one?.symmetricKey).toBe(same?.symmetricKey);
    expect(one?.boot).toBe(same?.boot);
    expect(one?.symmetricKey).not.toBe(other?.symmetricKey);
    for (const each of [one, same, other]) each?.close();
  });

  test("has the commands and settings that its user gives it", async () => {
    const { commands, mcu, link } = await scene({
      commands: {
        press: (args) => ({ status: 202, result: { got: args ?? null } }),
        jam: () => Promise.reject(new Error("it is jammed")),
        fail: () => {
          throw new Error("no");
        },
      },
      settings: { "press/force": { kind: "number", least: 1, most: 9, initially: 3 } },
    });
    const execute = (name: string) => commands.execute({ id: name, boot: mcu.boot ?? 0, name, args: { bar: 3 } });
    expect(await execute("press")).toEqual({ status: 202, result: { got: { bar: 3 } } });
    expect(await execute("jam")).toEqual({ status: 500 });
    expect(await execute("fail")).toEqual({ status: 500 });
    const committed = once(mcu, "committed");
    await new SettingsGroup(link).write("press/force", 9);
    await new SettingsGroup(link).commit();
    expect((await committed)[0]).toMatchObject({ "press/force": 9, "sampling/period_ms": 5_000 });
  });

  test("remembers 32 commands: what is done makes room, and what is at work does not", async () => {
    const names = Array.from({ length: 33 }, (_, index) => `work-${index}`);
    const endless = Object.fromEntries(names.map((name) => [name, () => new Promise<never>(() => {})]));
    const { link, mcu, count, executed } = await scene({ commands: endless });
    const begin = (name: string) => {
      const body = { id: name, boot: mcu.boot ?? 0, name };
      return link.request({ operation: "write", group: 72, command: 0, body, repeatable: true });
    };
    await count("first");
    for (const name of names.slice(0, 32)) expect(await begin(name)).toEqual({ id: name });
    await expect(begin("work-32")).rejects.toMatchObject({ fault: { group: 72, rc: 10 } });
    await expect(count("first")).rejects.toMatchObject({ fault: { group: 72, rc: 10 } });
    expect(executed).toHaveLength(33);
  });

  test("restarts its sensors when told so", async () => {
    const { commands, mcu } = await scene();
    const measure = async (id: string) => (await commands.execute({ id, boot: mcu.boot ?? 0, name: "measure" })).result;
    const first = await measure("1");
    expect(await measure("2")).not.toEqual(first);
    await commands.execute({ id: "3", boot: mcu.boot ?? 0, name: "reboot-sensor" });
    expect(await measure("4")).toEqual(first);
  });

  test("without keys has no kinds, and refuses to sign", async () => {
    const { link } = await scene({ identity: { registrationId: "bare", symmetricKey: null } });
    const identity = new IdentityGroup(link);
    expect(await identity.identity()).toMatchObject({ registrationId: "bare", kinds: [] });
    await expect(identity.sign(new Uint8Array(32))).rejects.toMatchObject({ fault: { group: 70, rc: 8 } });
    await expect(identity.certificates()).rejects.toMatchObject({ fault: { group: 70, rc: 5 } });
  });

  test("lets a signature through again after its part of a minute", async () => {
    const { generateKeyPairSync } = await import("node:crypto");
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const { link, clock } = await scene({ identity: { privateKey: pem, signaturesPerMinute: 2 } });
    const identity = new IdentityGroup(link);
    const sign = () => identity.sign(new Uint8Array(32)).catch(({ code }: { code: string }) => code);
    expect([await sign(), await sign()]).not.toContain("smp.busy");
    expect(await sign()).toBe("smp.busy");
    await clock.sleep(30_000);
    expect(await sign()).not.toBe("smp.busy");
    expect(await sign()).toBe("smp.busy");
  });

  test("hears nothing while it starts, and nothing without power", async () => {
    const { mcu, os, clock } = await scene({ startMs: 3_000 });
    expect(mcu.isRunning).toBe(false);
    await mcu.whenRunning();
    expect(clock.elapsed()).toBe(3_000);
    mcu.cutPower();
    mcu.cutPower();
    await expect(os.echo("x")).rejects.toMatchObject({ code: "smp.timeout" });
    mcu.restorePower();
    mcu.restorePower();
    await mcu.whenRunning();
    expect(await os.echo("x")).toBe("x");
  });

  test("is on one line at a time, the last, and lets go of it when it is closed", async () => {
    const mcu = new SimulatedMcu();
    const [, first] = duplexPair();
    const [, second] = duplexPair();
    mcu.attach(first);
    mcu.attach(second);
    expect([first.destroyed, second.destroyed]).toEqual([true, false]);
    mcu.close();
    mcu.close();
    expect(second.destroyed).toBe(true);
    await expect(mcu.whenRunning({ signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
    expect(mcu.listenerCount("started")).toBe(0);
  });

  test("cannot be what no board can be, and says all that is wrong", () => {
    expect(() => new SimulatedMcu({ bufferBytes: 10, startMs: -1 })).toThrow(
      expect.objectContaining({
        code: "simulator.rejected",
        details: [
          "bufferBytes: expected a whole number from 256 to 8192, got 10",
          "startMs: expected a whole number from 0 to 600000, got -1",
        ],
      }),
    );
    for (const identity of [
      { registrationId: "" },
      { symmetricKey: "" },
      { privateKey: "no key" },
      { certificate: "no certificate" },
      { certificate: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" },
    ]) {
      expect(() => new SimulatedMcu({ identity })).toThrow(expect.objectContaining({ code: "simulator.rejected" }));
    }
  });
});
