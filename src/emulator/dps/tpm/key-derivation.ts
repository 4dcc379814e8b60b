import { createHmac } from "node:crypto";

/** What {@link deriveKey} derives a key for. */
export interface KeyPurpose {
  /** Such as `STORAGE`; ASCII, without the zero at its end. */
  readonly label: string;
  /** What the key is bound to. Default: nothing. */
  readonly context?: Buffer;
  /** A multiple of 8. */
  readonly bits: number;
}

const digestBytes = 32;

/**
 * The TPM's own way of making keys of a seed, which its specification calls KDFa: the counter mode of SP 800-108 with
 * HMAC-SHA256. The second of its two contexts is always empty where DPS needs it.
 */
export function deriveKey(seed: Buffer, { label, context = Buffer.alloc(0), bits }: KeyPurpose): Buffer {
  const blocks: Buffer[] = [];
  for (let counter = 1; (counter - 1) * digestBytes * 8 < bits; counter += 1) {
    const block = createHmac("sha256", seed).update(uint32(counter)).update(`${label}\0`).update(context);
    blocks.push(block.update(uint32(bits)).digest());
  }
  return Buffer.concat(blocks).subarray(0, bits / 8);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
