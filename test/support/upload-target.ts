import type { ScriptedMcu } from "./scripted-mcu.ts";

/** Takes uploads as a server does: in order, by offset, taken up again for the same hash. */
export class UploadTarget {
  received: Buffer = Buffer.alloc(0);
  #length = 0;
  #sha = "";
  /** How many pieces came, repetitions included. */
  pieces = 0;
  /** Said with the last piece: whether what arrived has the digest that was told. Default: nothing, as of older servers. */
  match: boolean | undefined;

  constructor(mcu: ScriptedMcu) {
    mcu.on("1/1", ({ body }) => {
      this.pieces += 1;
      const { off, len, sha, data } = body as { off: number; len?: number; sha?: Uint8Array; data: Uint8Array };
      if (off === 0 && len !== undefined) {
        const text = Buffer.from(sha ?? []).toString("hex");
        if (text !== this.#sha || len !== this.#length) this.forget();
        this.#sha = text;
        this.#length = len;
      }
      if (off === this.received.length && this.#length > 0) this.received = Buffer.concat([this.received, data]);
      const isWhole = this.received.length === this.#length;
      return { off: this.received.length, ...(isWhole && this.match !== undefined ? { match: this.match } : {}) };
    });
  }

  /** What a restart without memory does. */
  forget(): void {
    this.received = Buffer.alloc(0);
    this.#length = 0;
    this.#sha = "";
  }
}
