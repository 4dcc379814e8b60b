import { decode, encode } from "cborg";
import { afterEach, beforeAll, describe } from "vitest";
import type { CborMap, CborValue } from "../../src/serial/cbor.ts";
import { portAt } from "../../src/serial/port-at.ts";
import { SmpRefusal } from "../../src/serial/smp-faults.ts";
import { SmpLink } from "../../src/serial/smp-link.ts";
import { Sightings } from "../../src/testing/sightings.ts";
import { type Board, lacksBoard, makeFirmware, provision, type RunningFirmware, startFirmware } from "./c-firmware.ts";
import type { BuiltImage } from "./image-builder.ts";
import { ScratchFolder } from "./scratch-folder.ts";

/** Describes what the sample firmware does on each of its boards. It is built first; benches are taken down after a test. */
export function describeOnBoards(what: string, define: (start: StartBench) => void): void {
  for (const board of ["host", "mps2-an385"] as const) {
    describe.skipIf(lacksBoard(board))(`the sample firmware on ${board}: ${what}`, () => {
      const folder = new ScratchFolder();
      const benches: FirmwareBench[] = [];
      let started = 0;
      beforeAll(async () => {
        await makeFirmware(board);
      }, 300_000);
      afterEach(async () => {
        for (const bench of benches.splice(0)) await bench.powerOff();
      });
      define(async (identity) => {
        started += 1;
        const files = { flash: folder.file(`${started}.flash`), socket: folder.file(`${started}.sock`) };
        if (identity) await provision(files.flash, identity);
        const bench = new FirmwareBench(board, files);
        benches.push(bench);
        await bench.powerOn();
        return bench;
      });
    });
  }
}

/** Starts a board, with an identity or without one. */
export type StartBench = (identity?: Readonly<Record<string, string>>) => Promise<FirmwareBench>;

/** A board and a link to it. */
export class FirmwareBench {
  readonly #board: Board;
  readonly #files: { readonly flash: string; readonly socket: string };
  #running: RunningFirmware | undefined;
  #link: SmpLink | undefined;
  /** What the firmware printed beside its packets. */
  lines = new Sightings<string>();

  constructor(board: Board, files: { readonly flash: string; readonly socket: string }) {
    this.#board = board;
    this.#files = files;
  }

  /** What it is. */
  get board(): Board {
    return this.#board;
  }

  get address(): string {
    return `unix:${this.#files.socket}`;
  }

  get link(): SmpLink {
    if (!this.#link) throw new Error("the board is off");
    return this.#link;
  }

  async powerOn(): Promise<void> {
    this.#running = await startFirmware(this.#board, this.#files);
    this.lines = new Sightings();
    this.#link = await SmpLink.start({ port: portAt(this.address) });
    this.#link.on("text", (text) => this.lines.add(text));
    await this.line("start ");
  }

  async powerOff(): Promise<void> {
    await this.#link?.close();
    await this.#running?.cutPower();
  }

  /** Waits for a line, from the last look on. */
  async line(part: string): Promise<string> {
    for (let seen = 1; ; seen += 1) {
      const text = await this.lines.nth(seen);
      if (text.includes(part)) return text;
    }
  }

  read(group: number, command: number, body: CborMap = {}): Promise<CborMap> {
    return this.link.request({ operation: "read", group, command, body, timeoutMs: 20_000 });
  }

  write(group: number, command: number, body: CborMap = {}): Promise<CborMap> {
    return this.link.request({ operation: "write", group, command, body, timeoutMs: 20_000 });
  }

  /** Resets by the gateway's command and waits for the next start. */
  async reset(): Promise<void> {
    this.lines = new Sightings();
    await this.write(0, 5);
    await this.line("start ");
  }

  async boot(): Promise<CborValue> {
    return (await this.read(70, 0)).boot as CborValue;
  }

  /** The slots as "version state state". */
  async slots(): Promise<string[]> {
    const { images } = await this.read(1, 0);
    const flags = ["active", "confirmed", "pending", "permanent"];
    return (images as CborMap[]).map((image) =>
      [image.version, ...flags.filter((flag) => image[flag] === true)].join(" "),
    );
  }

  /** Uploads from `from` on, obeying the offsets that the board gives; resolves with its last answer. */
  async upload(
    { bytes, sha }: BuiltImage,
    { from = 0, until = bytes.length, pieceBytes = 700 } = {},
  ): Promise<CborMap> {
    let answer: CborMap = { off: from };
    for (let off = from; off < until; ) {
      const data = bytes.subarray(off, Math.min(off + pieceBytes, until));
      answer = await this.write(1, 1, off === 0 ? { image: 0, off, len: bytes.length, sha, data } : { off, data });
      off = answer.off as number;
    }
    return answer;
  }

  async setting(name: string): Promise<CborValue> {
    return decode((await this.read(3, 0, { name })).val as Uint8Array) as CborValue;
  }

  async set(name: string, value: CborValue): Promise<void> {
    await this.write(3, 0, { name, val: encode(value) });
  }
}

/** What a refusal said. */
export async function refusal(asked: Promise<unknown>): Promise<unknown> {
  return asked.then(
    () => "no refusal",
    (error: unknown) => {
      if (error instanceof SmpRefusal) return error.fault;
      throw error;
    },
  );
}
