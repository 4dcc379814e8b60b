import { createHash, createHmac, verify, X509Certificate } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type McuImageRecipe, makeMcuImage } from "../../firmware-sim/index.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { deferred } from "../../src/deferred.ts";
import { isLandfallError } from "../../src/errors.ts";
import { uploadImage } from "../../src/serial/firmware/image-upload.ts";
import { CommandsGroup } from "../../src/serial/groups/commands-group.ts";
import { IdentityGroup } from "../../src/serial/groups/identity-group.ts";
import { ImageGroup, type ImageSlot } from "../../src/serial/groups/image-group.ts";
import { OsGroup } from "../../src/serial/groups/os-group.ts";
import { SettingsGroup } from "../../src/serial/groups/settings-group.ts";
import { StatisticsGroup } from "../../src/serial/groups/statistics-group.ts";
import { allowTelemetry } from "../../src/serial/groups/telemetry-group.ts";
import type { Port } from "../../src/serial/port.ts";
import type { SmpPush, SmpRequest } from "../../src/serial/smp-client.ts";
import { SmpLink } from "../../src/serial/smp-link.ts";
import { Sightings } from "../../src/testing/sightings.ts";
import { contractFault } from "../support/mcu-contract.ts";
import { type Patience, PatientClient } from "../support/patient-client.ts";

/** An MCU that a test has for itself. */
export interface McuUnderTest {
  readonly port: Port;
  /** What the link to it waits by. Default: the machine's own. */
  readonly clock?: Clock;
  /** How its answers are waited for. Default: up to a second, 20 times. */
  readonly patience?: Patience;
  /** Takes power away in the middle of whatever it does, and gives it again. */
  readonly cyclePower?: () => Promise<void>;
  close(): Promise<void>;
}

/** What is known of the MCUs that `open` gives. Parts of the suite that need what is not known are left out. */
export interface McuFacts {
  /** Symmetric key of the identity, base64. */
  readonly symmetricKey?: string;
  /** Certificate of its P-256 key, PEM. */
  readonly certificate?: string;
  /** Whether its flash may be written with images that only simulated boards start, beginning with the factory's. */
  readonly takesTestImages?: boolean;
  readonly cyclesPower?: boolean;
}

/** What one test works with. */
interface Scene {
  readonly mcu: McuUnderTest;
  readonly link: SmpLink;
  /** Asks over the link. */
  readonly client: PatientClient;
  readonly clock: Clock;
}

/** The suite that every MCU passes: the simulator, the sample firmware, a board on the desk. */
export function mcuContract(name: string, facts: McuFacts, open: () => Promise<McuUnderTest>): void {
  describe(`${name}, as an MCU`, () => {
    let scene: Scene;
    beforeEach(async () => {
      const mcu = await open();
      const { clock = systemClock, patience = { tries: 20, timeoutMs: 1_000 } } = mcu;
      const link = await SmpLink.open({ port: mcu.port, clock });
      scene = { mcu, clock, link, client: new PatientClient(link, patience) };
    });
    afterEach(async () => {
      await scene.link.close();
      await scene.mcu.close();
      expect(scene.client.contractFaults).toEqual([]);
    });
    const get = (): Scene => scene;
    describe("of the standard groups", () => standardGroups(get));
    describe("with settings", () => settingsContract(get));
    describe("with an identity", () => identityContract(get, facts));
    describe("with telemetry", () => telemetryContract(get));
    describe("with commands", () => commandsContract(get));
    if (facts.takesTestImages) describe("with images", () => imagesContract(get, facts));
  });
}

/** Resets the MCU and resolves with its new life's number once it is back. The order may get lost, as on any line. */
async function reset({ client }: Scene): Promise<number | bigint> {
  const identity = new IdentityGroup(client);
  const { boot: before } = await identity.identity();
  for (;;) {
    await new OsGroup(client).reset().catch(passOverSilence);
    const after = await identity.identity().catch(passOverSilence);
    if (after !== undefined && after.boot !== before) return after.boot;
  }
}

/** Resolves once the firmware answers in another life than `before`. */
async function bootAfter({ client }: Scene, before: number | bigint): Promise<number | bigint> {
  for (;;) {
    const identity = await new IdentityGroup(client).identity().catch(passOverSilence);
    if (identity !== undefined && identity.boot !== before) return identity.boot;
  }
}

function passOverSilence(error: unknown): undefined {
  if (!isLandfallError(error) || error.code !== "smp.timeout") throw error;
}

/** What the MCU refused with, as {group, rc}. */
async function fault(refused: Promise<unknown>): Promise<unknown> {
  const error = await refused.then(
    () => "it was not refused",
    (reason: unknown) => reason,
  );
  return (error as { fault?: unknown }).fault ?? error;
}

function standardGroups(get: () => Scene): void {
  test("echoes texts of any length that fits", async () => {
    const os = new OsGroup(get().client);
    for (const length of [0, 1, 23, 24, 80, 81, 82, 83, 255, 256]) {
      const text = "x".repeat(length);
      expect(await os.echo(text)).toBe(text);
    }
    expect(await os.echo("21 °C")).toBe("21 °C");
  });

  test("says what it is", async () => {
    const os = new OsGroup(get().client);
    expect(await os.info("s")).not.toBe("");
    expect((await os.info("a")).length).toBeGreaterThan((await os.info("i")).length);
  });

  test("refuses groups and commands that it does not have, in plain codes of SMP", async () => {
    const { client } = get();
    for (const [group, command] of [
      [4_000, 0],
      [0, 200],
      [72, 200],
    ] as const) {
      expect(await fault(client.request({ operation: "read", group, command }))).toEqual({ rc: 8 });
    }
  });

  test("counts, and says what by name", async () => {
    const statistics = new StatisticsGroup(get().client);
    const names = await statistics.names();
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(Object.keys(await statistics.read(name)).length).toBeGreaterThan(0);
    expect(await fault(statistics.read("nope"))).toEqual({ group: 2, rc: 3 });
  });

  test("is another after a reset, by its boot", async () => {
    const { boot } = await new IdentityGroup(get().client).identity();
    expect(await reset(get())).not.toBe(boot);
  });
}

function settingsContract(get: () => Scene): void {
  const period = "sampling/period_ms";
  const settings = (): SettingsGroup => new SettingsGroup(get().client);
  const restore = async (): Promise<void> => {
    await settings().delete(period);
    await settings().commit();
  };

  test("puts into effect what was written when it is committed, all at once", async () => {
    const initially = await settings().read(period);
    await settings().write(period, 1_234);
    expect(await settings().read(period)).toBe(initially);
    await settings().commit();
    expect(await settings().read(period)).toBe(1_234);
    await restore();
    expect(await settings().read(period)).toBe(initially);
  });

  test("keeps what was committed over a reset, and forgets what was not", async () => {
    await settings().write(period, 2_345);
    await settings().commit();
    await settings().write(period, 3_456);
    await reset(get());
    expect(await settings().read(period)).toBe(2_345);
    await restore();
  });

  test("refuses names that there are not with 5, and values that do not fit with 3", async () => {
    expect(await fault(settings().write("no/such", 1))).toEqual({ group: 3, rc: 5 });
    expect(await fault(settings().read("no/such"))).toEqual({ group: 3, rc: 5 });
    for (const value of [-1, 1.5, "often", true, null, 10 ** 12]) {
      expect(await fault(settings().write(period, value))).toEqual({ group: 3, rc: 3 });
    }
  });
}

function identityContract(get: () => Scene, { symmetricKey, certificate }: McuFacts): void {
  const identity = (): IdentityGroup => new IdentityGroup(get().client);
  const nowSeconds = 1_767_222_000;

  test("has a registration id", async () => {
    expect((await identity().identity()).registrationId).toMatch(/^[\w.:-]{1,128}$/);
  });

  if (symmetricKey !== undefined) {
    const sign = (resource: string, expiry: number): string =>
      createHmac("sha256", Buffer.from(symmetricKey, "base64")).update(`${resource}\n${expiry}`).digest("base64");
    const parts = (text: string): URLSearchParams => {
      expect(text).toMatch(/^SharedAccessSignature /);
      return new URLSearchParams(text.slice("SharedAccessSignature ".length).replaceAll("+", "%2B"));
    };

    test("writes a token for the provisioning service", async () => {
      const { registrationId, kinds } = await identity().identity();
      expect(kinds).toContain("sas");
      const expiresAtSeconds = nowSeconds + 3_600;
      const asked = { service: "dps", scope: "0ne00ABCDEF", nowSeconds, expiresAtSeconds } as const;
      const token = parts((await identity().token(asked)).reveal());
      const resource = `0ne00ABCDEF/registrations/${registrationId}`;
      expect(token.get("sr")).toBe(resource);
      expect(token.get("se")).toBe(`${expiresAtSeconds}`);
      expect(token.get("skn")).toBe("registration");
      expect(token.get("sig")).toBe(sign(encodeURIComponent(resource), expiresAtSeconds));
    });

    test("writes a token for a hub, under another device id where it has one there", async () => {
      const expiresAtSeconds = nowSeconds + 60;
      const asked = { service: "hub", scope: "plant.azure-devices.net", nowSeconds, expiresAtSeconds } as const;
      const { registrationId } = await identity().identity();
      expect(parts((await identity().token(asked)).reveal()).get("sr")).toBe(
        `plant.azure-devices.net/devices/${registrationId}`,
      );
      const other = parts((await identity().token({ ...asked, deviceId: "press-seven" })).reveal());
      expect(other.get("sr")).toBe("plant.azure-devices.net/devices/press-seven");
      expect(other.get("skn")).toBeNull();
      const encoded = encodeURIComponent("plant.azure-devices.net/devices/press-seven");
      expect(other.get("sig")).toBe(sign(encoded, expiresAtSeconds));
    });

    test("refuses a token whose life is too long, over, or none", async () => {
      const { longestTokenLifeSeconds } = await identity().identity();
      for (const life of [longestTokenLifeSeconds + 1, 0, -1]) {
        const expiresAtSeconds = nowSeconds + life;
        const asked = { service: "dps", scope: "0ne00ABCDEF", nowSeconds, expiresAtSeconds } as const;
        expect(await fault(identity().token(asked))).toEqual({ group: 70, rc: 3 });
      }
      const expiresAtSeconds = nowSeconds + longestTokenLifeSeconds;
      await identity().token({ service: "dps", scope: "0ne00ABCDEF", nowSeconds, expiresAtSeconds });
    });
  }

  if (certificate !== undefined) {
    test("hands out its certificate, and signs digests with its key", async () => {
      const { raw, publicKey } = new X509Certificate(certificate);
      expect((await identity().identity()).kinds).toContain("p256");
      expect(Buffer.from(await identity().certificates()).equals(raw)).toBe(true);
      const message = Buffer.from("what TLS has to say");
      const signature = await identity().sign(createHash("sha256").update(message).digest());
      expect(verify("sha256", message, publicKey, signature)).toBe(true);
    });

    test("signs digests of 32 bytes, and nothing else", async () => {
      for (const length of [0, 31, 33]) {
        expect(await fault(identity().sign(new Uint8Array(length)))).toEqual({ group: 70, rc: 3 });
      }
    });

    test("is busy when too many signatures are asked for", async () => {
      const digest = new Uint8Array(32);
      let last: unknown;
      for (let signatures = 0; last === undefined && signatures < 100; signatures++) {
        last = await identity()
          .sign(digest)
          .then(
            () => undefined,
            (error: unknown) => error,
          );
      }
      expect(last).toMatchObject({ code: "smp.busy" });
    });
  }
}

function telemetryContract(get: () => Scene): void {
  test("pushes when it is allowed, one message at a time, said again until it is answered", async () => {
    const { link, client } = get();
    const pushes = new Sightings<SmpPush>();
    let answer = deferred<void>();
    link.serve(71, async (push) => {
      pushes.add(push);
      await answer.promise;
      return { n: push.body.n ?? null };
    });
    const settings = new SettingsGroup(client);
    await settings.write("sampling/period_ms", 100);
    await settings.commit();
    const boot = await allowTelemetry(client, true);
    const first = await pushes.nth(1);
    expect(first).toMatchObject({ operation: "write", command: 1, body: { boot, n: 0 } });
    expect(contractFault({ ...first, group: 71 })).toBeUndefined();
    // Said again, it is the same to the letter.
    expect((await pushes.nth(2)).body).toEqual(first.body);
    answer.resolve();
    const later = async (n: number): Promise<SmpPush> => {
      for (let count = 2; ; count++) {
        const push = await pushes.nth(count);
        if (push.body.n === n) return push;
      }
    };
    const third = await later(2);
    expect(Object.keys(third.body.data as object).length).toBeGreaterThan(0);
    expect(third.body.ms).toBeGreaterThanOrEqual(first.body.ms as number);
    answer = deferred();
    await allowTelemetry(client, false);
    await settings.delete("sampling/period_ms");
    await settings.commit();
  });

  test("is silent before it is allowed, and after a reset", async () => {
    const scene = get();
    const pushes = new Sightings<SmpPush>();
    scene.link.serve(71, async (push) => {
      pushes.add(push);
      return { n: push.body.n ?? null };
    });
    await reset(scene);
    expect(pushes.all).toEqual([]);
    const boot = await allowTelemetry(scene.client, true);
    expect((await pushes.nth(1)).body).toMatchObject({ boot, n: 0 });
    await reset(scene);
    const heard = pushes.all.length;
    await new OsGroup(scene.client).echo("anything more?");
    expect(pushes.all.length).toBe(heard);
  });
}

function commandsContract(get: () => Scene): void {
  let ids = 0;
  const command = async (name: string, args?: object): Promise<{ id: string; boot: number | bigint; name: string }> => {
    ids += 1;
    const { boot } = await new IdentityGroup(get().client).identity();
    return { id: `contract-${ids}`, boot, name, ...(args === undefined ? {} : { args }) };
  };
  const commands = (): CommandsGroup => new CommandsGroup(get().client, get().clock);

  test("lists its commands, and executes them", async () => {
    expect(await commands().names()).toEqual(expect.arrayContaining(["blink", "count", "calibrate"]));
    expect(await commands().execute(await command("blink", { times: 3 }))).toEqual({
      status: 200,
      result: { done: 3 },
    });
    expect(await commands().execute(await command("blink", { times: 0 }))).toMatchObject({ status: 400 });
  });

  test("executes a command once, however often it is asked for", async () => {
    const once = await command("count");
    const { result } = await commands().execute(once);
    for (let again = 0; again < 3; again++) {
      expect(await commands().execute(once)).toEqual({ status: 200, result });
    }
    const { count } = result as { count: number };
    expect((await commands().execute(await command("count"))).result).toEqual({ count: count + 1 });
  });

  test("remembers the answers of the last 16 commands at least", async () => {
    const executed = [];
    for (let index = 0; index < 16; index++) {
      const each = await command("count");
      executed.push([each, await commands().execute(each)] as const);
    }
    for (const [each, answer] of executed) expect(await commands().execute(each)).toEqual(answer);
  });

  test("answers a command that takes its time when it is done, once", async () => {
    const slow = await command("calibrate", { ms: 300 });
    const request: SmpRequest = { operation: "write", group: 72, command: 0, body: slow, repeatable: true };
    expect(await get().client.request(request)).toEqual({ id: slow.id });
    expect(await commands().execute(slow)).toEqual({ status: 200, result: { ms: 300 } });
    expect(await commands().execute(slow)).toEqual({ status: 200, result: { ms: 300 } });
  });

  test("answers a command that there is not with 404", async () => {
    expect(await commands().execute(await command("fly"))).toMatchObject({ status: 404 });
  });

  test("refuses a command of another life with 6, and a malformed one with 3", async () => {
    const right = await command("count");
    expect(await fault(commands().execute({ ...right, boot: Number(right.boot) - 1 }))).toEqual({ group: 72, rc: 6 });
    for (const wrong of [{ id: "" }, { id: "x".repeat(37) }, { name: "" }]) {
      expect(await fault(commands().execute({ ...right, ...wrong }))).toEqual({ group: 72, rc: 3 });
    }
  });

  test("executes nothing anew after a reset", async () => {
    const before = await command("count");
    await commands().execute(before);
    await reset(get());
    expect(await fault(commands().execute(before))).toEqual({ group: 72, rc: 6 });
  });
}

function imagesContract(get: () => Scene, { cyclesPower }: McuFacts): void {
  const images = (): ImageGroup => new ImageGroup(get().client);
  const upload = (image: Uint8Array): Promise<void> => uploadImage(get().client, image, { clock: get().clock });
  const summary = ({ slot, version, active, confirmed, pending, permanent }: ImageSlot): string =>
    [
      slot,
      version,
      ...Object.entries({ active, confirmed, pending, permanent }).flatMap(([word, on]) => (on ? [word] : [])),
    ].join(" ");
  const slots = async (): Promise<string[]> => (await images().slots()).map(summary);
  /** Uploads an image and has it tried at the next start. */
  const stage = async (recipe: McuImageRecipe): Promise<void> => {
    const image = makeMcuImage(recipe);
    await upload(image);
    await images().test(hashOf(image));
  };

  test("leaves the factory with one image, which runs for good", async () => {
    expect(await slots()).toEqual(["0 1.0.0 active confirmed"]);
  });

  test("takes an image, and knows it by its hash", async () => {
    const image = makeMcuImage({ version: "1.2.3+4", codeBytes: 3_000 });
    await upload(image);
    expect(await slots()).toEqual(["0 1.0.0 active confirmed", "1 1.2.3.4"]);
    expect((await images().slots())[1]?.hash).toEqual(hashOf(image));
  });

  test("tries an image at the next start, and goes back after the one behind it", async () => {
    await stage({ version: "1.1.0", codeBytes: 3_000 });
    expect(await slots()).toEqual(["0 1.0.0 active confirmed", "1 1.1.0 pending"]);
    await reset(get());
    expect(await slots()).toEqual(["0 1.1.0 active", "1 1.0.0 confirmed"]);
    await reset(get());
    expect(await slots()).toEqual(["0 1.0.0 active confirmed", "1 1.1.0"]);
  });

  test("keeps an image that was confirmed, over resets and the next update", async () => {
    await stage({ version: "1.1.0", codeBytes: 3_000 });
    await reset(get());
    await images().confirm();
    await images().confirm();
    await reset(get());
    await reset(get());
    expect(await slots()).toEqual(["0 1.1.0 active confirmed", "1 1.0.0"]);
    await stage({ version: "1.2.0", codeBytes: 500 });
    await reset(get());
    expect((await slots())[0]).toBe("0 1.2.0 active");
  });

  test("changes to an image for good when told so beforehand", async () => {
    const image = makeMcuImage({ version: "2.0.0", codeBytes: 1_000 });
    await upload(image);
    await images().confirm(hashOf(image));
    expect((await slots())[1]).toBe("1 2.0.0 pending permanent");
    await reset(get());
    await reset(get());
    expect((await slots())[0]).toBe("0 2.0.0 active confirmed");
  });

  test.each(["crashes", "hangs"] as const)("goes back by itself from an image that %s", async (start) => {
    await stage({ version: "1.1.0", codeBytes: 500, start });
    const { boot } = await new IdentityGroup(get().client).identity();
    await new OsGroup(get().client).reset().catch(passOverSilence);
    const after = await bootAfter(get(), boot).catch(passOverSilence);
    expect(after).not.toBe(boot);
    expect((await slots())[0]).toBe("0 1.0.0 active confirmed");
  });

  test("does not try an image that is not what its hash says", async () => {
    const image = makeMcuImage({ version: "1.1.0", damaged: true });
    await upload(image);
    expect(await fault(images().test(hashOf(makeMcuImage({ version: "1.1.0" }))))).toEqual({ group: 1, rc: 24 });
  });

  test("refuses to test what runs (33), what it does not have (8), and to confirm half a hash (24)", async () => {
    const [running] = await images().slots();
    expect(await fault(images().test(running?.hash ?? new Uint8Array()))).toEqual({ group: 1, rc: 33 });
    expect(await fault(images().test(new Uint8Array(32)))).toEqual({ group: 1, rc: 8 });
    expect(await fault(images().confirm(new Uint8Array(31)))).toEqual({ group: 1, rc: 24 });
  });

  test("refuses what is no image (23), too large (30), or older when only newer is wanted (27)", async () => {
    const piece = (body: object): Promise<unknown> =>
      get().client.request({ operation: "write", group: 1, command: 1, body: { off: 0, ...body }, repeatable: true });
    const head = makeMcuImage({ version: "1.0.0" }).subarray(0, 64);
    expect(await fault(piece({ len: 100, data: new Uint8Array(64) }))).toEqual({ group: 1, rc: 23 });
    expect(await fault(piece({ len: 2 ** 24, data: head }))).toEqual({ group: 1, rc: 30 });
    expect(await fault(piece({ len: 4_000, data: head, upgrade: true }))).toEqual({ group: 1, rc: 27 });
    expect(await fault(piece({ data: head }))).toEqual({ group: 1, rc: 21 });
    expect(await fault(images().erase(0))).toEqual({ group: 1, rc: 14 });
  });

  test("keeps its slot while the next start needs what is in it (9)", async () => {
    await stage({ version: "1.1.0", codeBytes: 500 });
    expect(await fault(upload(makeMcuImage({ version: "1.2.0" })))).toEqual({ group: 1, rc: 9 });
    expect(await fault(images().erase())).toEqual({ group: 1, rc: 9 });
  });

  test("erases the slot that does not run", async () => {
    await upload(makeMcuImage({ version: "1.1.0", codeBytes: 500 }));
    await images().erase();
    expect(await slots()).toEqual(["0 1.0.0 active confirmed"]);
  });

  test("says where an upload has to go on, and takes one up again by its hash", async () => {
    const image = makeMcuImage({ version: "1.1.0", codeBytes: 500 });
    const sha = createHash("sha256").update(image).digest();
    const piece = async (off: number, end: number, more: object = {}): Promise<unknown> => {
      const body = { off, data: image.subarray(off, end), ...more };
      return get().client.request({ operation: "write", group: 1, command: 1, body, repeatable: true });
    };
    const first = { len: image.length, sha, image: 0 };
    expect(await piece(0, 100, first)).toEqual({ off: 100 });
    expect(await piece(200, 250)).toEqual({ off: 100 });
    expect(await piece(100, 200)).toEqual({ off: 200 });
    expect(await piece(100, 200)).toEqual({ off: 200 });
    expect(await piece(0, 100, first)).toEqual({ off: 200 });
    expect(await piece(200, 400)).toEqual({ off: 400 });
    expect(await piece(400, image.length)).toMatchObject({ off: image.length });
    expect((await slots())[1]).toBe("1 1.1.0");
  });

  test("forgets an upload with a reset, and says so", async () => {
    const image = makeMcuImage({ version: "1.1.0" });
    const body = { off: 0, len: image.length, data: image.subarray(0, 100) };
    await get().client.request({ operation: "write", group: 1, command: 1, body, repeatable: true });
    await reset(get());
    const later = { off: 100, data: image.subarray(100, 200) };
    const request = { operation: "write", group: 1, command: 1, body: later, repeatable: true } as const;
    expect(await get().client.request(request)).toEqual({ off: 0 });
  });

  if (cyclesPower) {
    test("a confirmed image lasts over a power cut, and one on trial does not", async () => {
      await stage({ version: "1.1.0", codeBytes: 500 });
      await reset(get());
      await images().confirm();
      await get().mcu.cyclePower?.();
      expect((await slots())[0]).toBe("0 1.1.0 active confirmed");
      await stage({ version: "1.2.0", codeBytes: 500 });
      await get().mcu.cyclePower?.();
      expect((await slots())[0]).toBe("0 1.2.0 active");
      await get().mcu.cyclePower?.();
      expect((await slots())[0]).toBe("0 1.1.0 active confirmed");
    });

    test("settings last over a power cut", async () => {
      const settings = new SettingsGroup(get().client);
      await settings.write("led/brightness", 77);
      await settings.commit();
      await settings.write("led/brightness", 78);
      await get().mcu.cyclePower?.();
      expect(await settings.read("led/brightness")).toBe(77);
    });
  }
}

/** MCUboot's hash of an image that {@link makeMcuImage} made: the last thing in it. */
function hashOf(image: Uint8Array): Uint8Array {
  return image.slice(-32);
}
