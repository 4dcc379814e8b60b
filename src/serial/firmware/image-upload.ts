import { createHash } from "node:crypto";
import type { Clock } from "../../clock.ts";
import { isLandfallError, LandfallError } from "../../errors.ts";
import { AnswerFields } from "../answer-fields.ts";
import type { CborMap } from "../cbor.ts";
import { dataRoom } from "../pieces.ts";
import type { SmpCallOptions, SmpClient } from "../smp-client.ts";
import { SmpRefusal } from "../smp-faults.ts";
import { UploadPace } from "./upload-pace.ts";

/** How far an upload is. */
export interface UploadProgress {
  /** Bytes that the MCU has. May jump ahead when an upload is taken up again, and back when the MCU lost it. */
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

/** What {@link uploadImage} works with. */
export interface UploadOptions extends SmpCallOptions {
  readonly clock: Clock;
  /** Told at the start and after each piece. */
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
}

/** How long an MCU may be silent in all, in milliseconds; the time in which its port is away does not count. */
const longestSilenceMs = 60_000;

/** How often the MCU may send us back, or stay where it is, before this is no upload any more. */
const mostSetbacks = 20;

/** The image group's codes for a piece that does not go on from the one before: the MCU has forgotten the upload. */
const lostUpload = new Set([20, 21]);

/**
 * Uploads an image to the slot that does not run, and resolves once the MCU has all of it. The MCU's offset decides where it
 * goes on, so that it is taken up after any interruption: a lost piece, a port that went away, a restart of either side.
 * Rejects with `smp.refused` when the MCU does not want it, `firmware.damaged` when it says that it has something else than
 * was sent, `smp.timeout` after 60 s of silence.
 */
export async function uploadImage(client: SmpClient, image: Uint8Array, options: UploadOptions): Promise<void> {
  const { clock, signal, onProgress } = options;
  const pace = new UploadPace(await client.packetBytes({ signal }));
  const first = { image: 0, len: image.length, sha: createHash("sha256").update(image).digest() };
  let [offset, silentMs, setbacks] = [0, 0, 0];
  onProgress?.({ receivedBytes: 0, totalBytes: image.length });
  while (offset < image.length) {
    const piece = pace.next(offset === 0);
    const { packetBytes, timeoutMs } = piece;
    const body = pieceAt(offset, image, { first, client, packetBytes });
    const askedAt = clock.elapsed();
    try {
      const request = {
        operation: "write",
        group: 1,
        command: 1,
        body,
        repeatable: true,
        tries: 1,
        timeoutMs,
      } as const;
      const answer = await client.request(request, { signal });
      const next = new AnswerFields("the answer to a piece of the image", answer).count("off", image.length);
      pace.answered(piece, clock.elapsed() - askedAt);
      silentMs = 0;
      if (next <= offset) setbacks = countSetback(setbacks, next);
      if (next === image.length) requireWhole(answer);
      offset = next;
    } catch (error) {
      if (isSilence(error)) {
        // An answer that came damaged ended the wait early.
        silentMs += Math.min(timeoutMs, clock.elapsed() - askedAt);
        if (silentMs > longestSilenceMs) throw error;
        pace.lost(piece);
        continue;
      }
      if (offset === 0 || !(error instanceof SmpRefusal && lostUpload.has(error.fault.rc))) throw error;
      setbacks = countSetback(setbacks, 0);
      offset = 0;
    }
    onProgress?.({ receivedBytes: offset, totalBytes: image.length });
  }
}

/** The piece from an offset on, as long as its packet may be. The first one says what it is the beginning of. */
function pieceAt(
  off: number,
  image: Uint8Array,
  { first, client, packetBytes }: { first: CborMap; client: SmpClient; packetBytes: number },
): CborMap {
  const around: CborMap = off === 0 ? { ...first, off } : { off };
  const room = dataRoom(packetBytes, client.cbor.encode({ ...around, data: new Uint8Array() }).length);
  if (room === 0) throw new LandfallError("smp.too-large", `a packet of ${packetBytes} bytes has no room for an image`);
  return { ...around, data: image.subarray(off, off + room) };
}

/** Firmware that checks what arrived by the digest of the first piece says with the last one whether they match. */
function requireWhole({ match }: CborMap): void {
  if (match !== false) return;
  throw new LandfallError(
    "firmware.damaged",
    "what the MCU has of the image does not match the digest of what was sent",
  );
}

function countSetback(setbacks: number, off: number): number {
  if (setbacks < mostSetbacks) return setbacks + 1;
  throw new LandfallError("smp.malformed", `the MCU asks for the image from byte ${off} on, again and again`);
}

function isSilence(error: unknown): boolean {
  return isLandfallError(error) && error.code === "smp.timeout";
}
