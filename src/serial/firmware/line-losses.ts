/** What is further back than so many bytes of line counts for little: about two seconds at 115 200 baud. */
const memoryBytes = 20_000;

/** A line is taken for good until it has shown otherwise, as if so many bytes had come through already. */
const trustedBytes = 4_000;

/** The share of bytes that a line spoils, as far as whole exchanges tell: pure arithmetic over what became of them. */
export class LineLosses {
  #failures = 0;
  #bytes = trustedBytes;

  /** About so many of all bytes are spoilt, 0 to 1. */
  get share(): number {
    return this.#failures / this.#bytes;
  }

  /** Bytes that came through. */
  passed(lineBytes: number): void {
    this.#forget(lineBytes);
    this.#bytes += lineBytes;
  }

  /** Bytes at least one of which was spoilt: half of them came through before it, on average. */
  failed(lineBytes: number): void {
    this.#forget(lineBytes);
    this.#bytes += lineBytes / 2;
    this.#failures += 1;
  }

  #forget(lineBytes: number): void {
    const kept = Math.exp(-lineBytes / memoryBytes);
    this.#failures *= kept;
    this.#bytes *= kept;
  }
}
