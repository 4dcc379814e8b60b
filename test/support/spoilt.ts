import type { Random } from "../../src/emulator/index.ts";

/** Up to four bytes changed, now and then cut short or doubled. */
export function spoilt(bytes: Buffer, random: Random): Buffer {
  const result = Buffer.from(bytes);
  for (let changes = Math.floor(random() * 5); changes > 0; changes--) {
    result[Math.floor(random() * result.length)] = Math.floor(random() * 256);
  }
  if (random() < 0.2) return result.subarray(0, Math.floor(random() * result.length));
  return random() < 0.1 ? Buffer.concat([result, bytes]) : result;
}
