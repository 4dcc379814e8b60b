import { bytesFrom, type Random } from "../../randomness.ts";
import type { Enrollment } from "../enrollment.ts";
import { makeActivationBlob, newActivationNonces } from "./activation-blob.ts";
import type { StorageKey, TpmKeys } from "./storage-key.ts";

/** What a device has been asked to prove. */
export interface TpmChallenge {
  /** The key that it has to sign with, base64. */
  readonly key: string;
  /** The TPM that can take the key in. */
  readonly keys: TpmKeys;
  readonly expiresAtMs: number;
}

interface Course {
  /** Not answered yet. */
  open?: TpmChallenge | undefined;
  /** The last one that was answered. */
  answered?: TpmChallenge;
}

/** How long a challenge can be answered. Azure only says that it is not for long. */
const lifeMs = 300_000;

/**
 * The challenges of one DPS. One is open for each enrollment, the newest, and one answer is all that it takes: another
 * registration needs another challenge. What the answered one has proven holds for the polls that come after.
 */
export class TpmChallenges {
  readonly #random: Random;
  readonly #courses = new WeakMap<Enrollment, Course>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Makes a key that only this TPM can take in, and expects a signature with it. Returns the activation blob. */
  issue(enrollment: Enrollment, keys: TpmKeys, note: string, nowMs: number): Buffer {
    const key = newTpmKey(this.#random);
    const open = { key: key.toString("base64"), keys, expiresAtMs: nowMs + lifeMs };
    this.#courses.set(enrollment, { ...this.#courses.get(enrollment), open });
    return makeActivationBlob({ keys, key, note, nonces: newActivationNonces(this.#random) });
  }

  /** The challenge that waits for an answer. */
  open(enrollment: Enrollment, nowMs: number): TpmChallenge | undefined {
    const open = this.#courses.get(enrollment)?.open;
    return open !== undefined && nowMs < open.expiresAtMs ? open : undefined;
  }

  /** The challenge that was answered last. */
  answered(enrollment: Enrollment): TpmChallenge | undefined {
    return this.#courses.get(enrollment)?.answered;
  }

  /** Notes that a challenge has been answered. */
  close(enrollment: Enrollment, challenge: TpmChallenge): void {
    this.#courses.set(enrollment, { answered: challenge });
  }

  /** The storage root key of the TPM that was last proven to be there. */
  storageRootKeyOf(enrollment: Enrollment): StorageKey | undefined {
    return this.answered(enrollment)?.keys.storageRootKey;
  }
}

/** A key for a TPM to sign with: 32 random bytes. */
export function newTpmKey(random: Random): Buffer {
  return bytesFrom(random, 32);
}
