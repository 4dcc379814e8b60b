import { describe, expect, test } from "vitest";
import type { Flash } from "../../../firmware-sim/flash/flash.ts";
import { MemoryFlash } from "../../../firmware-sim/flash/memory-flash.ts";
import { bootFrom } from "../../../firmware-sim/image/bootloader.ts";
import { versionText } from "../../../firmware-sim/image/image-format.ts";
import { makeMcuImage } from "../../../firmware-sim/image/make-image.ts";

class PowerCut extends Error {}

/** Flash whose power goes in the middle of an access: half of it is done. */
class CutFlash implements Flash {
  readonly size: number;
  accesses = 0;
  readonly #flash: Flash;
  readonly #cutAt: number;

  constructor(flash: Flash, cutAt = Number.POSITIVE_INFINITY) {
    this.#flash = flash;
    this.size = flash.size;
    this.#cutAt = cutAt;
  }

  read(offset: number, length: number): Buffer {
    return this.#flash.read(offset, length);
  }

  write(offset: number, bytes: Uint8Array): void {
    const cut = this.#isCut();
    this.#flash.write(offset, cut ? bytes.subarray(0, bytes.length / 2) : bytes);
    if (cut) throw new PowerCut();
  }

  erase(offset: number, length: number): void {
    const cut = this.#isCut();
    this.#flash.erase(offset, cut ? Math.floor(length / 2) : length);
    if (cut) throw new PowerCut();
  }

  #isCut(): boolean {
    this.accesses += 1;
    return this.accesses === this.#cutAt;
  }
}

let boards = 0;

/** A start, by whoever holds the flash: it makes a board of flash that holds none. */
function start(flash: Flash) {
  const { memory, slots, image, did } = bootFrom(flash, () => {
    boards += 1;
    return { serial: boards, key: new Uint8Array(32) };
  });
  if (image === undefined) throw new Error("nothing runs");
  return { memory, slots, did, running: versionText(image.version) };
}

const update = makeMcuImage({ version: "1.1.0", codeBytes: 300 });

/** What happens between two versions that run: settings, an upload, a test, a start, a confirmation, a start. */
function story(flash: Flash): void {
  const { memory, slots } = start(flash);
  memory.change({ settings: { a: 1, b: 1 } });
  memory.change({ settings: { a: 2, b: 2 } });
  slots.erase(1);
  slots.write(1, 0, update.subarray(0, 100));
  slots.write(1, 100, update.subarray(100));
  slots.request(false);
  start(flash).slots.confirm();
  start(flash);
}

/** Every access to flash at which power can be cut in what `happens`. */
function cutsIn(happens: (flash: Flash) => void, flash: Flash): number[] {
  const counted = new CutFlash(flash);
  happens(counted);
  return Array.from({ length: counted.accesses }, (_, index) => index + 1);
}

function usedFlash(): Flash {
  const flash = new MemoryFlash();
  start(flash).memory.change({ settings: { a: 0, b: 0 } });
  return flash;
}

describe("power that is cut at any access to flash", () => {
  test.each(cutsIn(start, new MemoryFlash()))(
    "of the first start, at access %i: the next one makes the board",
    (cutAt) => {
      const flash = new MemoryFlash();
      expect(() => start(new CutFlash(flash, cutAt))).toThrow(PowerCut);
      expect(start(flash).running).toBe("1.0.0");
      expect(start(flash).memory.content.starts).toBe(2);
    },
  );

  test.each(cutsIn(story, usedFlash()))(
    "of an update, at access %i: an image runs, and nothing is in two halves",
    (cutAt) => {
      const flash = usedFlash();
      const { serial } = start(flash).memory.content;
      expect(() => story(new CutFlash(flash, cutAt))).toThrow(PowerCut);
      const { memory, running } = start(flash);
      expect(["1.0.0", "1.1.0"]).toContain(running);
      const { a, b } = memory.content.settings;
      expect([0, 1, 2]).toContain(a);
      expect(a).toBe(b);
      expect(memory.content.serial).toBe(serial);
      const { onTrial } = memory.content;
      // Nobody confirmed a trial meanwhile.
      expect(start(flash).running).toBe(onTrial ? "1.0.0" : running);
      story(flash);
      expect(start(flash).running).toBe("1.1.0");
    },
  );
});

test("an image that was damaged after it was asked for is not started, and not asked for again", () => {
  const flash = usedFlash();
  const { slots } = start(flash);
  slots.erase(1);
  slots.write(1, 0, update);
  expect(slots.request(false)).toBeUndefined();
  slots.write(1, 60, Uint8Array.of(0));
  expect(start(flash)).toMatchObject({ did: "refused", running: "1.0.0" });
  expect(start(flash)).toMatchObject({ did: "as before", running: "1.0.0" });
});
