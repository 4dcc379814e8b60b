import { type Body, isBody } from "../wire/value.ts";
import type { Flash } from "./flash.ts";
import { RecordStore } from "./record-store.ts";

/** What a board is given when it is made. */
export interface MadeBoard {
  /** Drawn when the board is made; makes the numbers of its starts differ from those of others. */
  readonly serial: number;
  /** Symmetric key that the factory gave it, for boards that are given no other. */
  readonly key: Uint8Array;
}

/** What lasts beside the images. */
export interface BoardContent extends MadeBoard {
  /** How often it was started. */
  readonly starts: number;
  /** Bank of the flash whose image runs. */
  readonly activeBank: 0 | 1;
  /** What the next start shall do with the other image. */
  readonly requested: "none" | "test" | "permanent";
  /** The running image goes at the next start unless it is confirmed. */
  readonly onTrial: boolean;
  /** Committed settings by name. */
  readonly settings: Body;
}

/** The record of a board. */
export class BoardMemory {
  readonly #records: RecordStore;
  #content: BoardContent;

  /** Reads the record; flash that holds none is of a board that is just being made, by `make`. */
  constructor(flash: Flash, make: () => MadeBoard) {
    this.#records = new RecordStore(flash);
    const found = fromRecord(this.#records.load());
    this.#content = found ?? { ...make(), starts: 0, activeBank: 0, requested: "none", onTrial: false, settings: {} };
  }

  get content(): BoardContent {
    return this.#content;
  }

  /** Changes what lasts: all of it, or nothing when power is cut. */
  change(changes: Partial<BoardContent>): void {
    const content = { ...this.#content, ...changes };
    this.#records.save({ ...content });
    this.#content = content;
  }
}

function fromRecord(record: Body | undefined): BoardContent | undefined {
  return record !== undefined && isBody(record.settings) ? (record as unknown as BoardContent) : undefined;
}
