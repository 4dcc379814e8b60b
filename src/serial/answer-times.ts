/**
 * How long answers take on a line, for each byte that request and answer have on it: pure arithmetic over what was seen.
 * What the MCU needs to think is spread over the bytes, so a long answer is rather expected too late than too early.
 */
export class AnswerTimes {
  #msPerByte: number | undefined;
  #deviation = 0;

  /** An answer came after `tookMs`; it and its request had `lineBytes` on the line. Smoothed as TCP does (RFC 6298). */
  learn(tookMs: number, lineBytes: number): void {
    const msPerByte = tookMs / lineBytes;
    if (this.#msPerByte === undefined) {
      this.#msPerByte = msPerByte;
      this.#deviation = msPerByte / 2;
      return;
    }
    this.#deviation += (Math.abs(msPerByte - this.#msPerByte) - this.#deviation) / 4;
    this.#msPerByte += (msPerByte - this.#msPerByte) / 8;
  }

  /**
   * After how many milliseconds an answer is late; undefined before one was seen.
   * @param leastMarginMs what it may be later than usual, however punctual all others were
   */
  lateAfterMs(lineBytes: number, leastMarginMs: number): number | undefined {
    if (this.#msPerByte === undefined) return undefined;
    return this.#msPerByte * lineBytes + Math.max(4 * this.#deviation * lineBytes, leastMarginMs);
  }
}
