import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { decode } from "cborg";
import { expect, test } from "vitest";
import { type McuImageRecipe, makeMcuImage } from "../../firmware-sim/index.ts";
import type { CborMap } from "../../src/serial/cbor.ts";
import { uploadImage } from "../../src/serial/firmware/image-upload.ts";
import { ImageGroup, type ImageSlot } from "../../src/serial/groups/image-group.ts";
import { SettingsGroup } from "../../src/serial/groups/settings-group.ts";
import type { SmpRequest } from "../../src/serial/smp-client.ts";
import { fault, type McuFacts, reset, type Scene } from "./mcu-scene.ts";

/** Such as `0 1.0.0 active confirmed`. */
function summary({ slot, version, active, confirmed, pending, permanent }: Omit<ImageSlot, "image">): string {
  const words = Object.entries({ active, confirmed, pending, permanent }).flatMap(([word, on]) => (on ? [word] : []));
  return [slot, version, ...words].join(" ");
}

/** The image lists of a recorded update from 0.0.0 to 1.2.3 with Zephyr and MCUboot, those that differ from the one before. */
function recordedLists(): string[][] {
  const text = readFileSync(new URL("../vectors/zephyr-session.json", import.meta.url), "utf8");
  const { exchanges } = JSON.parse(text) as { exchanges: { response: string }[] };
  const lists = exchanges.flatMap(({ response }) => {
    const { images } = decode(Uint8Array.from(Buffer.from(response.slice(16), "hex"))) as { images?: ImageSlot[] };
    return images === undefined ? [] : [images.map(summary)];
  });
  return lists.filter((list, index) => list.join() !== lists[index - 1]?.join());
}

/** Two slots, as MCUboot has them. */
export function imagesContract(get: () => Scene, { cyclesPower }: McuFacts): void {
  const images = (): ImageGroup => new ImageGroup(get().client);
  const upload = (image: Uint8Array): Promise<void> => uploadImage(get().client, image, { clock: get().clock });
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

  test("shows an update as Zephyr and MCUboot were recorded to show one", async () => {
    const image = makeMcuImage({ version: "1.2.3", codeBytes: 500 });
    const shown = [await slots()];
    await upload(image);
    shown.push(await slots(), (await images().test(hashOf(image))).map(summary));
    await reset(get());
    shown.push(await slots());
    const recorded = recordedLists().map((list) => list.map((line) => line.replace("0.0.0", "1.0.0")));
    expect(shown).toEqual(recorded.slice(0, 4));
    // What they show of the other slot from now on depends on how they swap.
    expect((await images().confirm()).map(summary)[0]).toBe(recorded[4]?.[0]);
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
    await reset(get());
    expect((await slots())[0]).toBe("0 1.0.0 active confirmed");
  });

  test("does not try an image that is not what its hash says", async () => {
    const image = makeMcuImage({ version: "1.1.0", codeBytes: 500, damaged: true });
    await upload(image);
    expect(await fault(images().test(hashOf(makeMcuImage({ version: "1.1.0", codeBytes: 500 }))))).toEqual({
      group: 1,
      rc: 24,
    });
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
    const other = makeMcuImage({ version: "1.2.0" });
    const body = { off: 0, len: other.length, data: other.subarray(0, 64) };
    const piece: SmpRequest = { operation: "write", group: 1, command: 1, body, repeatable: true };
    expect(await fault(get().client.request(piece))).toEqual({ group: 1, rc: 9 });
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

  test("takes an image again, from its beginning, that did not arrive as announced", async () => {
    const image = makeMcuImage({ version: "1.1.0", codeBytes: 300 });
    const sha = createHash("sha256").update(image).digest();
    const send = async (bytes: Uint8Array): Promise<unknown> => {
      const ask = (body: CborMap): Promise<CborMap> =>
        get().client.request({ operation: "write", group: 1, command: 1, body, repeatable: true });
      await ask({ off: 0, image: 0, len: bytes.length, sha, data: bytes.subarray(0, 200) });
      return ask({ off: 200, data: bytes.subarray(200) });
    };
    const spoilt = Uint8Array.from(image);
    spoilt[250] = (spoilt[250] as number) ^ 1;
    expect(await send(spoilt)).toEqual({ off: image.length, match: false });
    expect(await send(image)).toEqual({ off: image.length, match: true });
    // And is taken up where it was once it has.
    expect(await send(image)).toEqual({ off: image.length, match: true });
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
