import { type Random, uuidFrom } from "./randomness.ts";

/** A blob that may be written by whoever has its signature. */
export interface BlobUpload {
  /** What the address has to carry as `sig`. */
  readonly signature: string;
  /** What has been written, once it is complete. */
  readonly content: Buffer | undefined;
  /** Writes the blob in one piece. Returns false when the store has no room for it. */
  put(content: Buffer): boolean;
  /** Keeps one block for {@link commit}. Returns false when the store has no room for it. */
  putBlock(id: string, content: Buffer): boolean;
  /** Makes the blob of blocks, in this order. Returns false when one of them is missing. */
  commit(ids: readonly string[]): boolean;
}

/** Bytes that one store keeps; it is memory, and an emulator is for tests. */
const maxBytes = 256 * 1024 * 1024;

/** Blobs in memory, each behind a signature of its own. */
export class BlobStore {
  readonly #random: Random;
  readonly #host: () => string;
  readonly #blobs = new Map<string, Blob>();

  /** @param host where clients find the store, with its port where that is not 443 */
  constructor(random: Random, host: () => string) {
    this.#random = random;
    this.#host = host;
  }

  /** Where clients find the store. */
  get host(): string {
    return this.#host();
  }

  /**
   * Opens a blob for writing; one that was there by that name is gone.
   * @param isOpen whether the signature is still good. Default: always
   */
  create(name: string, isOpen: () => boolean = () => true): BlobUpload {
    const blob = new Blob(uuidFrom(this.#random), isOpen, () => this.#bytes());
    this.#blobs.set(name, blob);
    return blob;
  }

  /** A blob by name and signature; `undefined` when the two do not go together, or the signature is no longer good. */
  open(name: string, signature: string): BlobUpload | undefined {
    const blob = this.#blobs.get(name);
    return blob?.signature === signature && blob.isOpen() ? blob : undefined;
  }

  /** What is in a blob, `undefined` when it is not there or not complete. */
  read(name: string): Buffer | undefined {
    return this.#blobs.get(name)?.content;
  }

  #bytes(): number {
    return [...this.#blobs.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

class Blob implements BlobUpload {
  readonly signature: string;
  readonly isOpen: () => boolean;
  content: Buffer | undefined;
  readonly #storeBytes: () => number;
  readonly #blocks = new Map<string, Buffer>();

  constructor(signature: string, isOpen: () => boolean, storeBytes: () => number) {
    this.signature = signature;
    this.isOpen = isOpen;
    this.#storeBytes = storeBytes;
  }

  get bytes(): number {
    return [...this.#blocks.values()].reduce((sum, block) => sum + block.length, this.content?.length ?? 0);
  }

  put(content: Buffer): boolean {
    if (this.#storeBytes() + content.length > maxBytes) return false;
    this.content = content;
    return true;
  }

  putBlock(id: string, content: Buffer): boolean {
    if (this.#storeBytes() + content.length > maxBytes) return false;
    this.#blocks.set(id, content);
    return true;
  }

  commit(ids: readonly string[]): boolean {
    const blocks = ids.map((id) => this.#blocks.get(id)).filter((block) => block !== undefined);
    if (blocks.length !== ids.length) return false;
    this.content = Buffer.concat(blocks);
    this.#blocks.clear();
    return true;
  }
}
