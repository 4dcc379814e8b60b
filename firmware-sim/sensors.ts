import type { Body } from "./wire/value.ts";

/** Readings in one up and down of the temperature. */
const period = 60;

/** Two sensors that breathe, with noise: the same seed gives the same readings. */
export class Sensors {
  #state: number;
  #step = 0;

  /** @param seed 1 to 2^31 - 1 */
  constructor(seed: number) {
    this.#state = seed;
  }

  /**
   * The next reading: degrees Celsius and percent of humidity.
   * @param offset added to the temperature, in hundredths of a degree
   */
  read(offset: number): Body {
    this.#step = (this.#step + 1) % period;
    const wave = Math.min(this.#step, period - this.#step);
    const temperature = 2_100 + 5 * wave + this.#noise(15) + offset;
    const humidity = 480 - 2 * wave + this.#noise(8);
    return { temperature: temperature / 100, humidity: humidity / 10 };
  }

  /** A whole number from -extent to extent, by xorshift. */
  #noise(extent: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return ((this.#state >>> 0) % (2 * extent + 1)) - extent;
  }
}
