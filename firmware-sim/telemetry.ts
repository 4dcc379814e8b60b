import type { Clock } from "../src/clock.ts";
import type { Statistics } from "./statistics.ts";
import { type Body, isBody } from "./wire/value.ts";

/** A message for the hub. */
export interface TelemetryMessage {
  readonly boot: number;
  /** From 0, one more from message to message. */
  readonly n: number;
  /** Milliseconds since the start of the firmware. */
  readonly ms: number;
  readonly data: Body;
  readonly props?: Readonly<Record<string, string>>;
}

/** What {@link Telemetry} works with. */
export interface TelemetryParts {
  readonly clock: Clock;
  readonly boot: number;
  /** Ends with the firmware. */
  readonly signal: AbortSignal;
  /** A reading of the sensors, and its properties. */
  readonly measure: () => Pick<TelemetryMessage, "data" | "props">;
  /** Time between readings, in milliseconds; asked for each. */
  readonly periodMs: () => number;
  /** Puts a message on the line, with a sequence number. */
  readonly say: (message: TelemetryMessage, sequence: number) => void;
  readonly onAnswered: (message: TelemetryMessage) => void;
  readonly counts: Statistics["telemetry"];
}

/** A message that nobody answered is said again after so long, in milliseconds. */
const repeatMs = 2_000;

/** Says one message at a time to the gateway, again and again until it is answered. Silent until it is allowed. */
export class Telemetry {
  readonly #parts: TelemetryParts;
  readonly #startedAtMs: number;
  readonly #waiting: Pick<TelemetryMessage, "data" | "props">[] = [];
  #allowed = false;
  #underWay: TelemetryMessage | undefined;
  #number = 0;
  /** Under which the message was said last. */
  #sequence = 0;
  /** When something is due next. */
  #dueAtMs: number;
  #nap = new AbortController();

  constructor(parts: TelemetryParts) {
    this.#parts = parts;
    this.#startedAtMs = parts.clock.elapsed();
    this.#dueAtMs = this.#startedAtMs;
    parts.signal.addEventListener("abort", () => this.#nap.abort(), { once: true });
    void this.#run();
  }

  /** Milliseconds since the start. */
  get uptimeMs(): number {
    return Math.floor(this.#parts.clock.elapsed() - this.#startedAtMs);
  }

  /** Lets it speak, or not. What is due by then is said at once. */
  allow(allowed: boolean): void {
    if (allowed && !this.#allowed) this.#dueAtMs = this.#parts.clock.elapsed();
    this.#allowed = allowed;
    this.#nap.abort();
  }

  /** Adds a message beside those of the sensors; they wait until it is their turn. */
  add(message: Pick<TelemetryMessage, "data" | "props">): void {
    this.#waiting.push(message);
    this.#nap.abort();
  }

  /** Takes the gateway's answer, which came under `sequence`: it has passed a message on, or refuses it. */
  answered(sequence: number, answer: Body | undefined): void {
    const message = this.#underWay;
    if (message === undefined || answer === undefined) return;
    if (answer.n === message.n) {
      this.#parts.counts.answered += 1;
      this.#goOn();
      this.#parts.onAnswered(message);
    } else if (sequence === this.#sequence && isUnwanted(answer)) {
      // A refusal has no number, so only the last saying's sequence tells which message it means.
      this.#parts.counts.refused += 1;
      this.#goOn();
    }
  }

  /** The settings have changed: a shorter period counts from now. */
  reconsider(): void {
    if (this.#underWay === undefined) {
      this.#dueAtMs = Math.min(this.#dueAtMs, this.#parts.clock.elapsed() + this.#parts.periodMs());
    }
    this.#nap.abort();
  }

  #goOn(): void {
    this.#underWay = undefined;
    this.#number += 1;
    this.#dueAtMs = this.#parts.clock.elapsed() + this.#parts.periodMs();
    this.#nap.abort();
  }

  async #run(): Promise<void> {
    const { clock, signal } = this.#parts;
    while (!signal.aborted) {
      const waitMs = this.#step(clock.elapsed());
      this.#nap = new AbortController();
      await clock.sleep(waitMs, { signal: this.#nap.signal }).catch(() => {});
    }
  }

  /** Says what is due; gives the milliseconds until the next thing is. */
  #step(nowMs: number): number {
    if (!this.#allowed) return Number.MAX_SAFE_INTEGER;
    if (this.#underWay === undefined) {
      const next = this.#waiting.shift() ?? (nowMs >= this.#dueAtMs ? this.#parts.measure() : undefined);
      if (next === undefined) return this.#dueAtMs - nowMs;
      this.#underWay = { boot: this.#parts.boot, n: this.#number, ms: this.uptimeMs, ...next };
      this.#parts.counts.sent += 1;
    } else {
      if (nowMs < this.#dueAtMs) return this.#dueAtMs - nowMs;
      this.#parts.counts.repeated += 1;
    }
    this.#sequence = (this.#sequence + 1) % 256;
    this.#parts.say(this.#underWay, this.#sequence);
    this.#dueAtMs = nowMs + repeatMs;
    return repeatMs;
  }
}

/** Whether a message is refused for good, as malformed (3) or too large (7): a repetition would be the same. */
function isUnwanted({ err, rc }: Body): boolean {
  const code = isBody(err) ? err.rc : rc;
  return code === 3 || code === 7;
}
