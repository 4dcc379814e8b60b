import { untilAborted } from "../abort.ts";
import type { Clock } from "../clock.ts";
import { type Deferred, deferred } from "../deferred.ts";
import { LandfallError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { AnswerTimes } from "./answer-times.ts";
import { framedBytes } from "./console-frames.ts";
import { QuietLine } from "./quiet-line.ts";
import { mayRepeat, Repetition, type TryFailure } from "./repetition.ts";
import type { SmpRequest } from "./smp-client.ts";
import { headerBytes, type SmpPacket } from "./smp-packet.ts";

/** What a {@link RequestDesk} works with. */
export interface RequestDeskOptions {
  /** Name of the port, for errors. */
  readonly portName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The number before the first request's, 0 to 255. */
  readonly sequence: number;
  /** Resolves while the port is open, or once it is. */
  readonly connected: (signal: AbortSignal | undefined) => Promise<void>;
  readonly send: (packet: SmpPacket) => void;
  /** Ends whatever line the MCU may be in the middle of. */
  readonly endLine: () => void;
  /** The MCU has been silent for so long that it may have restarted. */
  readonly onSilence: () => void;
}

/** How {@link RequestDesk.exchange} is to ask. */
export interface ExchangeOptions {
  /** Longest packet that may come as an answer, in bytes. */
  readonly longestAnswerBytes: number;
  readonly signal: AbortSignal | undefined;
}

/** What an ordinary answer may be later than usual, in milliseconds: a program may be held up for so long, and an MCU too. */
const punctualMs = 200;

/** A damaged answer has ended when nothing more has come for so many milliseconds; USB adapters hand on what they have every 16. */
const answerGapMs = 20;

/** A request that was said and got no answer. */
interface FailedTry {
  readonly why: TryFailure;
  readonly error: LandfallError;
}

/** A request that waits for its answer. */
interface Awaited {
  readonly request: SmpPacket;
  readonly answer: Deferred<SmpPacket | FailedTry>;
  /** Something that came meanwhile had to be dropped. */
  readonly onDamage: () => void;
}

/** Says what the gateway asks of the MCU, one request at a time and again where that may be, until an answer comes. */
export class RequestDesk {
  readonly #options: RequestDeskOptions;
  readonly #quiet: QuietLine;
  #sequence: number;
  #times = new AnswerTimes();
  #awaited: Awaited | undefined;
  /** The MCU may have the beginning of a line whose end was lost. */
  #mayBeMidLine = false;

  constructor(options: RequestDeskOptions) {
    this.#options = options;
    this.#sequence = options.sequence;
    this.#quiet = new QuietLine(options.clock);
  }

  /** Resolves with the answer to a request whose body is encoded. Rejects with `smp.timeout`, `serial.unplugged`, `serial.closed`. */
  async exchange(request: SmpRequest, body: Uint8Array, options: ExchangeOptions): Promise<SmpPacket> {
    const { clock, logger, connected, onSilence } = this.#options;
    const { longestAnswerBytes, signal } = options;
    const packet = this.#number(request, body);
    const longestBytes = framedBytes(headerBytes + body.length) + framedBytes(longestAnswerBytes);
    const repetition = new Repetition(request, this.#times.lateAfterMs(longestBytes, punctualMs));
    for (let askedAt: number | undefined; ; ) {
      await connected(signal);
      askedAt ??= clock.elapsed();
      const outcome = await this.#try(packet, repetition.waitMs, { endsWithDamage: mayRepeat(request), signal });
      if ("body" in outcome) {
        if (request.timeoutMs === undefined) this.#learn(clock.elapsed() - askedAt, packet, outcome);
        return outcome;
      }
      if (!repetition.goesOn(outcome.why)) {
        if (repetition.wasLongSilent) onSilence();
        throw outcome.error;
      }
      // After a silence, the answer that comes may be to any of the tries.
      if (outcome.why !== "silent") askedAt = undefined;
      logger.debug(() => `${describePacket(packet)} is said again: ${outcome.error.message}`);
    }
  }

  /** Takes an answer, which may be to a request of the past. */
  take(packet: SmpPacket): void {
    const { request, answer } = this.#awaited ?? {};
    if (!request || !isAnswer(packet, request)) return;
    this.#mayBeMidLine = false;
    answer?.resolve(packet);
  }

  /** Something came on the line. */
  heard(): void {
    this.#quiet.heard();
  }

  /** Something that came had to be dropped. */
  damaged(): void {
    this.#awaited?.onDamage();
  }

  /** The port was opened, and every line ended; any firmware may be at its other end. */
  opened(): void {
    this.#times = new AnswerTimes();
    this.#mayBeMidLine = false;
  }

  /** The port went away under whatever is asked. */
  unplugged(error: LandfallError): void {
    this.#awaited?.answer.resolve({ why: "unplugged", error });
  }

  /** Whatever is asked rejects with `reason`. */
  close(reason: unknown): void {
    this.#awaited?.answer.reject(reason);
  }

  #number({ operation, group, command }: SmpRequest, body: Uint8Array): SmpPacket {
    this.#sequence = (this.#sequence + 1) % 256;
    return { version: 2, operation, group, command, sequence: this.#sequence, body };
  }

  #learn(tookMs: number, { body: asked }: SmpPacket, { body: answered }: SmpPacket): void {
    const lineBytes = framedBytes(headerBytes + asked.length) + framedBytes(headerBytes + answered.length);
    this.#times.learn(tookMs, lineBytes);
  }

  /** Says it once and waits. */
  async #try(
    request: SmpPacket,
    waitMs: number,
    { endsWithDamage, signal }: { readonly endsWithDamage: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<SmpPacket | FailedTry> {
    const what = `answer on ${this.#options.portName} to ${describePacket(request)}`;
    const answer = deferred<SmpPacket | FailedTry>();
    const fail = (why: TryFailure, message: string) => (): void =>
      answer.resolve({ why, error: new LandfallError("smp.timeout", message) });
    const ended = new AbortController();
    let isDamaged = false;
    const onDamage = (): void => {
      if (isDamaged || !endsWithDamage) return;
      isDamaged = true;
      // The rest of it may be under way still, and so may the answer when it was something else.
      const quiet = this.#quiet.quietFor(answerGapMs, { signal: ended.signal });
      quiet.then(fail("damaged", `the ${what} came damaged`), () => {});
    };
    this.#awaited = { request, answer, onDamage };
    const silence = this.#options.clock.sleep(waitMs, { signal: ended.signal });
    silence.then(fail("silent", `no ${what} in ${Math.round(waitMs)} ms`), () => {});
    this.#say(request);
    try {
      return await untilAborted(answer.promise, signal);
    } finally {
      ended.abort();
      this.#awaited = undefined;
    }
  }

  #say(request: SmpPacket): void {
    // What is left of a damaged line at the MCU would spoil this one.
    if (this.#mayBeMidLine) this.#options.endLine();
    this.#mayBeMidLine = true;
    this.#options.send(request);
  }
}

function isAnswer(packet: SmpPacket, request: SmpPacket): boolean {
  return (
    packet.operation === `${request.operation}-response` &&
    packet.sequence === request.sequence &&
    packet.group === request.group &&
    packet.command === request.command
  );
}

function describePacket({ operation, group, command, sequence }: SmpPacket): string {
  return `${operation} ${group}/${command} (${sequence})`;
}
