import { AnswerFields } from "../answer-fields.ts";
import { type CborMap, type CborValue, isCborMap } from "../cbor.ts";
import type { SmpCallOptions, SmpClient } from "../smp-client.ts";

/** One slot that an image can be in. */
export interface ImageSlot {
  /** Which image, where a device has several; 0 for the only one. */
  readonly image: number;
  /** 0 is the slot that runs, on most devices. */
  readonly slot: number;
  /** As the image has it, such as `1.2.3` or `1.2.3.4`. */
  readonly version: string;
  /** MCUboot's hash of the image, as it is in the image's trailer. Not the hash of the file. */
  readonly hash: Uint8Array | undefined;
  readonly bootable: boolean;
  /** It will be tried at the next start. */
  readonly pending: boolean;
  /** It stays: the next start does not revert it. */
  readonly confirmed: boolean;
  /** It is running. */
  readonly active: boolean;
  /** It will stay after the next start, without a test. */
  readonly permanent: boolean;
}

/** Erasing a slot keeps an MCU from answering for seconds. */
const eraseTimeoutMs = 30_000;

/** Group 1: the slots of MCUboot. */
export class ImageGroup {
  readonly #client: SmpClient;

  constructor(client: SmpClient) {
    this.#client = client;
  }

  /** Every slot that holds an image. */
  async slots(options?: SmpCallOptions): Promise<readonly ImageSlot[]> {
    return readSlots(await this.#client.request({ operation: "read", group: 1, command: 0 }, options));
  }

  /** Has MCUboot try the image of that hash at the next start, and go back after the start behind it unless confirmed. */
  async test(hash: Uint8Array, options?: SmpCallOptions): Promise<readonly ImageSlot[]> {
    return this.#writeState({ hash, confirm: false }, options);
  }

  /** Keeps the image of that hash for good; without one, the running image. */
  async confirm(hash?: Uint8Array, options?: SmpCallOptions): Promise<readonly ImageSlot[]> {
    return this.#writeState(hash === undefined ? { confirm: true } : { hash, confirm: true }, options);
  }

  /** Erases a slot that is not running. Default: the second one. */
  async erase(slot = 1, options?: SmpCallOptions): Promise<void> {
    await this.#client.request(
      { operation: "write", group: 1, command: 5, body: { slot }, repeatable: true, timeoutMs: eraseTimeoutMs },
      options,
    );
  }

  async #writeState(body: CborMap, options: SmpCallOptions | undefined): Promise<readonly ImageSlot[]> {
    // Saying it twice changes nothing: the mark in the flash is there already.
    const request = { operation: "write", group: 1, command: 0, body, repeatable: true, timeoutMs: 3_000 } as const;
    return readSlots(await this.#client.request(request, options));
  }
}

function readSlots(body: CborMap): ImageSlot[] {
  // Where no slot holds an image, some servers leave the list out.
  if (body.images === undefined) return [];
  return new AnswerFields("the image list", body).list("images", "a list of slots", readSlot);
}

function readSlot(entry: CborValue): ImageSlot | undefined {
  if (!isCborMap(entry)) return undefined;
  const fields = new AnswerFields("the image list", entry);
  return {
    image: fields.optionalCount("image") ?? 0,
    slot: fields.count("slot"),
    version: fields.text("version"),
    hash: fields.optionalBytes("hash"),
    bootable: fields.flag("bootable"),
    pending: fields.flag("pending"),
    confirmed: fields.flag("confirmed"),
    active: fields.flag("active"),
    permanent: fields.flag("permanent"),
  };
}
