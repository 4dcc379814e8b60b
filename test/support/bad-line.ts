import { makeMcuImage, SimulatedMcu } from "../../firmware-sim/index.ts";
import { seededRandom } from "../../src/emulator/randomness.ts";
import { framedBytes } from "../../src/serial/console-frames.ts";
import { uploadImage } from "../../src/serial/firmware/image-upload.ts";
import { ImageGroup } from "../../src/serial/groups/image-group.ts";
import { SmpLink } from "../../src/serial/smp-link.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { MemoryPort } from "../../src/testing/memory-port.ts";

/** What a line that spoils bytes costs, in the time of the line. */
export interface BadLineFigures {
  /** So many slot lists were asked for, with two images in each. */
  readonly lists: number;
  readonly failedLists: number;
  /** What a list took on average, in milliseconds. */
  readonly listMs: number;
  /** What uploads of 100 kB took, in milliseconds. */
  readonly uploadsMs: readonly number[];
}

const image = makeMcuImage({ version: "1.1.0", codeBytes: 100_000 });
const listed = makeMcuImage({ version: "1.0.1", codeBytes: 100 });
const listsForASeed = 100;
const baudRate = 115_200;

/** Zephyr's usual buffer, so that many boards are like it. */
const bufferBytes = 384;

/**
 * Asks the simulator at the end of a line of 115 200 baud for slot lists, and uploads an image to it, once for each seed of
 * what goes wrong. Nobody waits for that time to pass: the same seeds give the same figures.
 * @param spoiltShare so many of all bytes are changed, lost or doubled, 0 to 1
 */
export async function measureBadLine(spoiltShare: number, seeds: readonly number[]): Promise<BadLineFigures> {
  let failedLists = 0;
  let listsMs = 0;
  const uploadsMs: number[] = [];
  for (const seed of seeds) {
    const lists = await onLine(spoiltShare, seed, async (link, clock) => {
      await uploadImage(link, listed, { clock });
      return askForLists(link, clock);
    });
    failedLists += lists.failed;
    listsMs += lists.tookMs;
    const uploadMs = await onLine(spoiltShare, seed, async (link, clock) => {
      const from = clock.elapsed();
      await uploadImage(link, image, { clock });
      return clock.elapsed() - from;
    });
    uploadsMs.push(uploadMs);
  }
  const lists = seeds.length * listsForASeed;
  return { lists, failedLists, listMs: listsMs / lists, uploadsMs };
}

async function askForLists(link: SmpLink, clock: FakeClock): Promise<{ failed: number; tookMs: number }> {
  const images = new ImageGroup(link);
  const from = clock.elapsed();
  let failed = 0;
  for (let time = 0; time < listsForASeed; time++) {
    const slots = await images.slots().catch(() => []);
    if (slots.length !== 2) failed += 1;
  }
  return { failed, tookMs: clock.elapsed() - from };
}

async function onLine<T>(
  spoiltShare: number,
  seed: number,
  work: (link: SmpLink, clock: FakeClock) => Promise<T>,
): Promise<T> {
  const clock = new FakeClock();
  const mcu = new SimulatedMcu({ seed: 7, clock, bufferBytes });
  const port = new MemoryPort((far) => mcu.attach(far), {
    corruption: spoiltShare * 0.4,
    loss: spoiltShare * 0.3,
    duplication: spoiltShare * 0.3,
    random: seededRandom(seed),
    baudRate,
    clock,
    pieceBytes: 1024,
  });
  const link = await SmpLink.open({ port, clock, random: () => 0.5 });
  try {
    let isDone = false;
    const done = work(link, clock).finally(() => {
      isDone = true;
    });
    while (!isDone) await clock.advance(1_000);
    return await done;
  } finally {
    await link.close();
    mcu.close();
  }
}

/**
 * How many times as long as on a clean line an upload takes at least, where one request is under way at a time, even if the
 * best length were known beforehand and every loss at once: the line's time for the bytes that have to be sent again.
 */
export function leastSlowdown(spoiltShare: number): number {
  return fewestLineBytes(spoiltShare) / fewestLineBytes(0);
}

/** Bytes of line for each byte of the image, with the best length of pieces. */
function fewestLineBytes(spoiltShare: number): number {
  const [overheadBytes, answerLineBytes] = [26, 35];
  let fewest = Number.POSITIVE_INFINITY;
  for (let packetBytes = overheadBytes + 1; packetBytes <= bufferBytes - 4; packetBytes++) {
    const line = framedBytes(packetBytes) + answerLineBytes;
    fewest = Math.min(fewest, line / (1 - spoiltShare) ** line / (packetBytes - overheadBytes));
  }
  return fewest;
}
