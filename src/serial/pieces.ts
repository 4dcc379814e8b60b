import { LandfallError } from "../errors.ts";
import { AnswerFields } from "./answer-fields.ts";
import type { CborMap } from "./cbor.ts";
import type { SmpCallOptions, SmpClient } from "./smp-client.ts";
import { headerBytes } from "./smp-packet.ts";

/**
 * Puts together what an MCU hands out in pieces `{off, len, data}`.
 * @param what what it is, for the error
 * @param mostBytes longest whole that is taken
 * @param ask asks for the piece from an offset on
 */
export async function readPieces(
  what: string,
  mostBytes: number,
  ask: (off: number) => Promise<CborMap>,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let whole: number | undefined;
  for (let off = 0; ; ) {
    const fields = new AnswerFields(what, await ask(off));
    const length = fields.count("len", mostBytes);
    const data = fields.bytes("data");
    whole ??= length;
    const fits = fields.count("off") === off && length === whole && off + data.length <= whole;
    if (!fits || (data.length === 0 && off < whole)) {
      throw new LandfallError("smp.malformed", `${what}: expected a piece from byte ${off} on of ${whole} bytes`);
    }
    pieces.push(data);
    off += data.length;
    if (off === whole) return Buffer.concat(pieces);
  }
}

/**
 * How many bytes of `data` fit into a packet beside the rest of a body.
 * Rejects with `smp.timeout` and the like when the MCU does not tell how long a packet may be.
 */
export async function roomForData(client: SmpClient, rest: CborMap, options?: SmpCallOptions): Promise<number> {
  const limit = await client.packetBytes(options);
  return dataRoom(limit, client.cbor.encode({ ...rest, data: new Uint8Array() }).length);
}

/**
 * How many bytes of a byte string fit into a packet.
 * @param packetBytes the packet's length at most
 * @param emptyBodyBytes the body's length with the byte string empty
 */
export function dataRoom(packetBytes: number, emptyBodyBytes: number): number {
  const room = packetBytes - headerBytes - emptyBodyBytes;
  // CBOR tells the length of a byte string in one byte up to 23, in two up to 255, then in three.
  if (room <= 23) return Math.max(0, room);
  return room <= 256 ? Math.max(23, room - 1) : Math.max(255, room - 2);
}
