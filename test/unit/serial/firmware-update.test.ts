import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { seededRandom } from "../../../src/emulator/randomness.ts";
import { LandfallError } from "../../../src/errors.ts";
import {
  type FirmwareUpdateOptions,
  type UpdateProgress,
  updateFirmware,
} from "../../../src/serial/firmware/firmware-update.ts";
import { readImageFile } from "../../../src/serial/firmware/image-file.ts";
import { beginUpdate, nextUpdateStep, type UpdateInput } from "../../../src/serial/firmware/update-machine.ts";
import { SmpLink } from "../../../src/serial/smp-link.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import type { FaultyLinkOptions } from "../../../src/testing/faulty-link.ts";
import { firmwareImage, type ImageRecipe } from "../../support/firmware-image.ts";
import { ScriptedBootloader } from "../../support/scripted-bootloader.ts";
import { ScriptedMcu } from "../../support/scripted-mcu.ts";

const open: SmpLink[] = [];
afterEach(async () => {
  for (const link of open.splice(0)) await link.close();
});

const image = (version: ImageRecipe["version"], more: ImageRecipe = {}) =>
  readImageFile(firmwareImage({ ...(version ? { version } : {}), codeBytes: 2_000, ...more }));
const current = image([1, 0, 0, 0]);
const newer = image([1, 1, 0, 0]);

async function scene(quality: FaultyLinkOptions = {}) {
  const clock = new FakeClock();
  const mcu = new ScriptedMcu({ clock, ...quality });
  const bootloader = new ScriptedBootloader(mcu, clock, current);
  const link = await SmpLink.start({ port: mcu.port, clock, random: () => 0.5 });
  open.push(link);
  const progress: UpdateProgress[] = [];
  const update = async (to = newer, options: Partial<FirmwareUpdateOptions> = {}) => {
    const done = updateFirmware(link, to, { clock, onProgress: (each) => void progress.push(each), ...options });
    let over = false;
    const note = () => {
      over = true;
    };
    done.then(note, note);
    while (!over) await clock.advance(500);
    return done;
  };
  const phases = () => progress.flatMap((each) => (each.kind === "phase" ? [each.phase] : []));
  return { clock, mcu, bootloader, link, update, progress, phases };
}

describe("an update", () => {
  test("uploads, starts, checks and confirms", async () => {
    const { bootloader, update, phases, progress } = await scene();
    expect(await update()).toEqual({ outcome: "updated", from: "1.0.0" });
    expect(bootloader.running).toMatchObject({ image: { version: "1.1.0" }, confirmed: true });
    expect(phases()).toEqual([
      "inspecting",
      "uploading",
      "verifying",
      "marking",
      "restarting",
      "checking",
      "confirming",
    ]);
    expect(progress).toContainEqual({
      kind: "upload",
      receivedBytes: newer.bytes.length,
      totalBytes: newer.bytes.length,
    });
    expect(bootloader.resets).toBe(1);
  });

  test("that is there already does nothing", async () => {
    const { bootloader, update } = await scene();
    expect(await update(current)).toEqual({ outcome: "already-running", from: "1.0.0" });
    expect([bootloader.resets, bootloader.target.pieces]).toEqual([0, 0]);
  });

  test.each([
    ["was uploaded", { pending: false }],
    ["was marked", { pending: true }],
  ])("is taken up after it %s", async (_, { pending }) => {
    const { bootloader, update } = await scene();
    bootloader.other = { image: { hash: newer.hash, version: "1.1.0" }, pending, confirmed: false };
    expect(await update()).toMatchObject({ outcome: "updated" });
    expect(bootloader.target.pieces).toBe(0);
  });

  test("is taken up after it was started", async () => {
    const { bootloader, update, phases } = await scene();
    bootloader.other = bootloader.running;
    bootloader.running = { image: { hash: newer.hash, version: "1.1.0" }, pending: false, confirmed: false };
    expect(await update()).toMatchObject({ outcome: "updated" });
    expect(phases()).toEqual(["inspecting", "checking", "confirming"]);
    expect(bootloader.resets).toBe(0);
  });

  test("survives a line that loses a byte in a thousand, and an unplugged port", async () => {
    const faults = { loss: 0.0005, corruption: 0.0003, duplication: 0.0002 };
    const { clock, mcu, bootloader, update } = await scene({ random: seededRandom(5), ...faults });
    const done = update();
    await mcu.seen.nth(6);
    mcu.port.unplug();
    await clock.advance(3_000);
    mcu.port.plug();
    expect(await done).toMatchObject({ outcome: "updated" });
    expect(bootloader.running).toMatchObject({ image: { version: "1.1.0" }, confirmed: true });
  });

  test("waits while the port is away with the MCU that restarts", async () => {
    const { clock, mcu, bootloader, update } = await scene();
    const done = update();
    while (bootloader.resets === 0) await clock.advance(10);
    await clock.advance(400);
    mcu.port.unplug();
    await clock.advance(20_000);
    mcu.port.plug();
    expect(await done).toMatchObject({ outcome: "updated" });
  });

  test("says a reset again that the MCU did not hear", async () => {
    const { bootloader, update } = await scene();
    bootloader.deafTo = 2;
    expect(await update()).toMatchObject({ outcome: "updated" });
    expect(bootloader.resets).toBe(3);
  });

  test("gives up on an MCU that never restarts", async () => {
    const { bootloader, update } = await scene();
    bootloader.deafTo = 1000;
    await expect(update()).rejects.toMatchObject({ code: "firmware.lost", message: /does not restart/ });
    expect(bootloader.resets).toBe(4);
  });
});

describe("a new image that is no good is reverted", () => {
  test("by the bootloader, which refuses it", async () => {
    const { bootloader, update } = await scene();
    bootloader.behaviour.start = "refused";
    await expect(update()).rejects.toMatchObject({ code: "firmware.reverted", message: /bootloader refused/ });
    expect(bootloader.running).toMatchObject({ image: { version: "1.0.0" }, confirmed: true });
  });

  test("by its watchdog, when it does not come up", async () => {
    const { bootloader, update } = await scene();
    bootloader.behaviour.start = "dead";
    await expect(update()).rejects.toMatchObject({ code: "firmware.reverted" });
    expect(bootloader.running).toMatchObject({ image: { version: "1.0.0" }, confirmed: true });
  });

  test("by us, when it does not answer as it should", async () => {
    const { bootloader, update, phases } = await scene();
    bootloader.behaviour.answers = false;
    await expect(update()).rejects.toMatchObject({ code: "firmware.reverted", message: /no answer/ });
    expect(bootloader.running).toMatchObject({ image: { version: "1.0.0" }, confirmed: true });
    expect(phases().at(-1)).toBe("reverting");
    expect(bootloader.resets).toBe(2);
  });

  test("by us, when the user's own check finds it wanting until the time is up", async () => {
    const { clock, bootloader, update } = await scene();
    let checks = 0;
    const healthCheck = async () => {
      checks += 1;
      throw new LandfallError("hub.not-connected", "no telemetry");
    };
    const failed = update(newer, { healthCheck, healthTimeoutMs: 5_000 });
    await expect(failed).rejects.toMatchObject({
      code: "firmware.reverted",
      message: expect.stringContaining("no telemetry"),
    });
    expect(checks).toBeGreaterThan(5);
    expect(clock.elapsed()).toBeLessThan(20_000);
    expect(bootloader.running.image.version).toBe("1.0.0");
  });

  test("by us, when it cannot be confirmed", async () => {
    const { bootloader, update } = await scene();
    bootloader.behaviour.confirms = false;
    await expect(update()).rejects.toMatchObject({ code: "firmware.reverted", message: /confirming is not allowed/ });
    expect(bootloader.running.image.version).toBe("1.0.0");
  });

  test("by us, when it believes to be another device", async () => {
    const { mcu, bootloader, update } = await scene();
    const identity = (rid: string) => ({ rid, kinds: [], life: 0, boot: 1 });
    mcu.on("70/0", () => identity(bootloader.running.image.version === "1.0.0" ? "press-7" : "press-8"));
    await expect(update()).rejects.toMatchObject({ code: "firmware.reverted", message: /press-7, got press-8/ });
  });

  test("and is lost when nothing brings the MCU back", async () => {
    const { bootloader, update } = await scene();
    bootloader.behaviour.start = "dead";
    bootloader.behaviour.watchdogMs = 1e9;
    await expect(update(newer, { restartTimeoutMs: 20_000 })).rejects.toMatchObject({ code: "firmware.lost" });
  });

  test("but a check that is only late does not hurt it", async () => {
    const { update } = await scene();
    let checks = 0;
    const healthCheck = async () => {
      checks += 1;
      if (checks < 4) throw new Error("still starting");
    };
    expect(await update(newer, { healthCheck })).toMatchObject({ outcome: "updated" });
  });
});

describe("an image is refused before its first byte", () => {
  test.each([
    [
      "for another board",
      image([2, 0, 0, 0], { board: "other" }),
      "firmware.wrong-board",
      /board other, the MCU is press/,
    ],
    ["older than what runs", image([0, 9, 9, 0]), "firmware.downgrade", /0\.9\.9, the MCU runs 1\.0\.0/],
  ])("%s", async (_, wrong, code, message) => {
    const { mcu, bootloader, update } = await scene();
    mcu.on("0/7", () => ({ output: "press" }));
    await expect(update(wrong)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(bootloader.target.pieces).toBe(0);
  });

  test("unless older ones are wanted, or the board matches, or nobody tells boards", async () => {
    for (const [board, told] of [
      ["press", "press"],
      ["other", undefined],
      [undefined, "press"],
    ] as const) {
      const { mcu, update } = await scene();
      if (told) mcu.on("0/7", () => ({ output: told }));
      const older = image([0, 9, 9, 0], board ? { board } : {});
      expect(await update(older, { allowDowngrade: true })).toMatchObject({ outcome: "updated" });
    }
  });

  test("while the other slot holds what the MCU would go back to", async () => {
    const { bootloader, update } = await scene();
    bootloader.running.confirmed = false;
    await expect(update()).rejects.toMatchObject({ code: "firmware.no-room" });
  });

  test("by an MCU that has no room for it", async () => {
    const { mcu, update } = await scene();
    mcu.on("1/1", () => ({ err: { group: 1, rc: 30 } }));
    await expect(update()).rejects.toMatchObject({ code: "firmware.no-room", message: /too large for the slot/ });
  });
});

test("an update can be abandoned at any time", async () => {
  const { clock, update } = await scene();
  const abandon = new AbortController();
  const failed = expect(update(newer, { signal: abandon.signal })).rejects.toThrow("enough");
  await clock.advance(1_000);
  abandon.abort(new Error("enough"));
  await failed;
});

describe("the machine of an update", () => {
  const slot = fc.record({
    image: fc.constant(0),
    slot: fc.nat(1),
    version: fc.constant("1.0.0"),
    hash: fc.constantFrom(current.hash, newer.hash, undefined),
    bootable: fc.boolean(),
    pending: fc.boolean(),
    confirmed: fc.boolean(),
    active: fc.boolean(),
    permanent: fc.boolean(),
  });
  const input: fc.Arbitrary<UpdateInput> = fc.oneof(
    fc.record({ kind: fc.constant("slots" as const), slots: fc.array(slot, { maxLength: 2 }) }),
    fc.constant({ kind: "done" as const }),
    fc.constant({ kind: "failed" as const, why: "ill" }),
    fc.constant({ kind: "out-of-time" as const }),
  );

  test("never says that it is updated unless the MCU said that the new image runs and is confirmed", () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 40 }), (inputs) => {
        let step = beginUpdate(newer, true);
        for (const each of inputs) {
          try {
            step = nextUpdateStep(step.state, each);
          } catch (error) {
            expect(error).toBeInstanceOf(LandfallError);
            return;
          }
          if (step.effect.kind !== "finish") continue;
          if (step.effect.outcome.kind === "updated") {
            const slots = each.kind === "slots" ? each.slots : [];
            expect(slots.find(({ active }) => active)).toMatchObject({ hash: newer.hash, confirmed: true });
          }
          return;
        }
      }),
      { numRuns: 500 },
    );
  });

  test("never confirms what was not found healthy", () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 40 }), (inputs) => {
        let step = beginUpdate(newer, true);
        for (const each of inputs) {
          const { phase } = step.state;
          try {
            step = nextUpdateStep(step.state, each);
          } catch {
            return;
          }
          if (step.effect.kind === "confirm") expect([phase, each.kind]).toEqual(["checking", "done"]);
          if (step.effect.kind === "finish") return;
        }
      }),
      { numRuns: 500 },
    );
  });
});
