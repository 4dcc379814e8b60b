import type { Clock } from "../../clock.ts";
import type { TextSink } from "../terminal.ts";

/** One thing that has to happen in the demo. */
export interface Step {
  /** Seconds since the start, to the millisecond. */
  readonly atSeconds: number;
  readonly name: string;
  readonly what: string;
}

/** What happened when, written as it happens, and what did not. */
export class Timeline {
  readonly #sink: TextSink;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #steps: Step[] = [];

  constructor(sink: TextSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
    this.#startedAt = clock.elapsed();
  }

  /** Everything that happened so far, in order. */
  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** A heading between two parts of the story. */
  chapter(title: string): void {
    this.#sink.write(`\n${this.#sink.style("bold", title)}\n`);
  }

  /** Writes one line: when, which step, what was seen. */
  add(name: string, what: string): void {
    const atSeconds = Math.round(this.#clock.elapsed() - this.#startedAt) / 1000;
    this.#steps.push({ atSeconds, name, what });
    const time = this.#sink.style("dim", `${atSeconds.toFixed(2).padStart(6)} s`);
    this.#sink.write(`${time}  ${this.#sink.style("green", "✓")} ${name.padEnd(24)}  ${what}\n`);
  }

  /** The last line. */
  close(text: string): void {
    const seconds = (this.#clock.elapsed() - this.#startedAt) / 1000;
    this.#sink.write(`\n${this.#sink.style("bold", text)} in ${seconds.toFixed(1)} s\n`);
  }

  /** Which of `names` did not happen. */
  missing(names: readonly string[]): string[] {
    return names.filter((name) => !this.#steps.some((step) => step.name === name));
  }
}
