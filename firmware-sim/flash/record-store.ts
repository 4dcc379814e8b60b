import { decodeBody } from "../wire/cbor-reader.ts";
import { encodeCbor } from "../wire/cbor-writer.ts";
import { crc16 } from "../wire/crc16.ts";
import type { Body } from "../wire/value.ts";
import { type Flash, flashLayout } from "./flash.ts";

const { recordsOffset, sectorBytes } = flashLayout;
const magic = "LFMS";
const headBytes = 12;

interface Sector {
  readonly offset: number;
  readonly generation: number;
  readonly record: Body;
}

/**
 * One record that lasts, kept in two sectors that take turns, so that power cut at any moment leaves the old record or the
 * new one: `"LFMS" | generation (4) | length (2) | CRC of what follows (2) | CBOR`, little endian.
 */
export class RecordStore {
  readonly #flash: Flash;

  constructor(flash: Flash) {
    this.#flash = flash;
  }

  /** The record; undefined in flash that never held one. */
  load(): Body | undefined {
    return this.#newest()?.record;
  }

  /** Puts a record in the place of the former. */
  save(record: Body): void {
    const newest = this.#newest();
    const offset = newest?.offset === recordsOffset ? recordsOffset + sectorBytes : recordsOffset;
    const content = encodeCbor(record);
    if (headBytes + content.length > sectorBytes) throw new RangeError("the record is longer than a sector of flash");
    const head = Buffer.alloc(headBytes);
    head.write(magic, "latin1");
    head.writeUInt32LE((newest?.generation ?? 0) + 1, 4);
    head.writeUInt16LE(content.length, 8);
    head.writeUInt16LE(crc16(content), 10);
    this.#flash.erase(offset, sectorBytes);
    this.#flash.write(offset, Buffer.concat([head, content]));
  }

  #newest(): Sector | undefined {
    const sectors = [recordsOffset, recordsOffset + sectorBytes].map((offset) => this.#read(offset));
    return sectors.reduce((one, other) => (other && (!one || other.generation > one.generation) ? other : one));
  }

  #read(offset: number): Sector | undefined {
    const bytes = this.#flash.read(offset, sectorBytes);
    if (bytes.toString("latin1", 0, magic.length) !== magic) return undefined;
    const content = bytes.subarray(headBytes, headBytes + bytes.readUInt16LE(8));
    const record = crc16(content) === bytes.readUInt16LE(10) ? decodeBody(content) : undefined;
    return record && { offset, generation: bytes.readUInt32LE(4), record };
  }
}
