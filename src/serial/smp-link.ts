import { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import { untilAborted } from "../abort.ts";
import { type Clock, systemClock } from "../clock.ts";
import { withDeadline } from "../deadline.ts";
import { type Deferred, deferred } from "../deferred.ts";
import { type SmpPacketTrace, smpPackets } from "../diagnostics.ts";
import { describeCause, isLandfallError, LandfallError } from "../errors.ts";
import { type Logger, silentLogger } from "../log.ts";
import { type CborCodec, type CborMap, loadCbor } from "./cbor.ts";
import { encodeFrames, lineEnd, longestPacketBytes } from "./console-frames.ts";
import { type FrameDamage, FrameReader } from "./frame-reader.ts";
import { readPacketLimit } from "./packet-limit.ts";
import type { Port } from "./port.ts";
import { PortKeeper } from "./port-keeper.ts";
import { PushDesk } from "./push-desk.ts";
import type { SmpCallOptions, SmpClient, SmpPushHandler, SmpRequest } from "./smp-client.ts";
import { faultIn, SmpRefusal } from "./smp-faults.ts";
import { decodePacket, encodePacket, headerBytes, type SmpPacket } from "./smp-packet.ts";
import { Turns } from "./turns.ts";

/** Settings of an {@link SmpLink}. */
export interface SmpLinkOptions {
  readonly port: Port;
  /** Default: the machine's own. */
  readonly clock?: Clock;
  /** Uniform random numbers in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** What an {@link SmpLink} tells of itself. */
export interface SmpLinkEvents {
  /** The port is open, for the first time or again. */
  up: [];
  /** The port went away, or could not be opened; the link keeps trying. */
  down: [error: LandfallError];
  /** A line of text that the MCU printed beside its packets. */
  text: [line: string];
}

const defaults = { timeoutMs: 1_000, tries: 5 };

/**
 * The link to an MCU: SMP version 2 on a console, both ways. It opens its port and keeps it open; requests wait while the
 * port is away. Requests of ours and of the MCU's are told apart by their operation, answers by their sequence number.
 */
export class SmpLink extends EventEmitter<SmpLinkEvents> implements SmpClient {
  readonly cbor: CborCodec;
  readonly #port: Port;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #keeper: PortKeeper;
  readonly #turns = new Turns();
  readonly #pushes: PushDesk;
  #reader: FrameReader | undefined;
  #sequence: number;
  #awaited: { readonly request: SmpPacket; readonly answer: Deferred<SmpPacket> } | undefined;
  #packetBytes: number | undefined;

  /** A link over `port`, which is being opened when this resolves. */
  static async start(options: SmpLinkOptions): Promise<SmpLink> {
    return new SmpLink(options, await loadCbor());
  }

  /** As {@link start}, but rejects with the `serial.*` error when the port cannot be opened now. */
  static async open(options: SmpLinkOptions, { signal }: SmpCallOptions = {}): Promise<SmpLink> {
    const link = await SmpLink.start(options);
    const failed = deferred<never>();
    link.once("down", failed.reject);
    try {
      await untilAborted(Promise.race([link.connected(), failed.promise]), signal);
      return link;
    } catch (error) {
      await link.close();
      throw error;
    } finally {
      link.off("down", failed.reject);
    }
  }

  private constructor(options: SmpLinkOptions, cbor: CborCodec) {
    super();
    const { port, clock = systemClock, random = Math.random, logger = silentLogger } = options;
    this.#port = port;
    this.#clock = clock;
    this.#logger = logger;
    this.cbor = cbor;
    // An answer to a request of a former life of this program must not fit one of ours.
    this.#sequence = Math.floor(random() * 256);
    this.#pushes = new PushDesk({ cbor, logger, send: (packet) => this.#send(packet) });
    this.#keeper = new PortKeeper({
      port,
      clock,
      random,
      onUp: (stream) => this.#onUp(stream),
      onDown: (error) => this.#onDown(error),
    });
  }

  /** Name of the port. */
  get portName(): string {
    return this.#port.name;
  }

  /** Whether the port is open. */
  get isUp(): boolean {
    return this.#keeper.stream !== undefined;
  }

  /** Why the port is away; undefined while it is open, and before it has failed once. */
  get lastFailure(): LandfallError | undefined {
    return this.#keeper.lastFailure;
  }

  /** What had to be dropped of what came in since the port was opened. */
  get damage(): FrameDamage {
    return this.#reader?.damage ?? { packets: 0, lines: 0 };
  }

  /** Resolves while the port is open, or once it is. Rejects with `serial.closed`. */
  connected({ signal }: SmpCallOptions = {}): Promise<void> {
    return this.#keeper.opened(signal);
  }

  async request(request: SmpRequest, { signal }: SmpCallOptions = {}): Promise<CborMap> {
    return this.#turns.take(() => this.#exchange(request, signal), signal);
  }

  async packetBytes({ signal }: SmpCallOptions = {}): Promise<number> {
    await this.connected({ signal });
    this.#packetBytes ??= await readPacketLimit(this, { signal });
    return this.#packetBytes;
  }

  /** Has `handler` answer what the MCU asks in a group, until the returned function is called. */
  serve(group: number, handler: SmpPushHandler): () => void {
    return this.#pushes.serve(group, handler);
  }

  /** Lets go of the port; requests that wait reject with `serial.closed`. */
  async close(): Promise<void> {
    const closed = this.#keeper.close();
    this.#awaited?.answer.reject(this.#keeper.closed.reason);
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #exchange(request: SmpRequest, signal: AbortSignal | undefined): Promise<CborMap> {
    const { operation, group, command, body = {}, repeatable = operation === "read" } = request;
    const packet = { version: 2, operation, group, command, body: this.cbor.encode(body) };
    if (headerBytes + packet.body.length > longestPacketBytes) throw tooLarge(packet.body.length, longestPacketBytes);
    this.#sequence = (this.#sequence + 1) % 256;
    const numbered: SmpPacket = { ...packet, sequence: this.#sequence };
    const tries = repeatable ? (request.tries ?? defaults.tries) : 1;
    for (let said = 1; ; ) {
      await this.connected({ signal });
      try {
        const answer = await this.#ask(numbered, {
          timeoutMs: request.timeoutMs ?? defaults.timeoutMs,
          again: said > 1,
          signal,
        });
        return this.#read(answer, request);
      } catch (error) {
        if (!repeatable || signal?.aborted || !isLandfallError(error)) throw error;
        if (error.code === "smp.timeout" && said < tries) said += 1;
        else if (error.code !== "serial.unplugged") throw error;
        this.#logger.debug(() => `${describePacket(numbered)} is said again: ${error.message}`);
      }
    }
  }

  /** Says it once and waits. */
  async #ask(
    request: SmpPacket,
    { timeoutMs, again, signal }: { timeoutMs: number; again: boolean; signal: AbortSignal | undefined },
  ): Promise<SmpPacket> {
    const answer = deferred<SmpPacket>();
    this.#awaited = { request, answer };
    // What is left of a damaged line at the MCU would spoil the next one.
    if (again) this.#keeper.stream?.write(Uint8Array.of(lineEnd));
    this.#send(request);
    try {
      return await withDeadline(() => answer.promise, {
        clock: this.#clock,
        ms: timeoutMs,
        signal,
        expired: () =>
          new LandfallError(
            "smp.timeout",
            `no answer on ${this.#port.name} to ${describePacket(request)} in ${timeoutMs} ms`,
          ),
      });
    } finally {
      this.#awaited = undefined;
    }
  }

  #read(answer: SmpPacket, { group, command }: SmpRequest): CborMap {
    let body: CborMap;
    try {
      // Some servers answer with no body at all where there is nothing to say.
      body = answer.body.length === 0 ? {} : this.cbor.decodeMap(answer.body);
    } catch (cause) {
      const what = `the answer to ${group}/${command} is not a CBOR map: ${describeCause(cause)}`;
      throw new LandfallError("smp.malformed", what, { cause });
    }
    const fault = faultIn(body);
    if (fault) throw new SmpRefusal(`do ${group}/${command}`, fault);
    return body;
  }

  #send(packet: SmpPacket): void {
    this.#trace("sent", packet);
    this.#keeper.stream?.write(encodeFrames(encodePacket(packet)));
  }

  #receive(bytes: Uint8Array): void {
    const packet = decodePacket(bytes);
    if (packet === undefined) return;
    this.#trace("received", packet);
    if (packet.operation === "read" || packet.operation === "write") {
      void this.#pushes.answer(packet);
      return;
    }
    const { request, answer } = this.#awaited ?? {};
    if (request && isAnswer(packet, request)) answer?.resolve(packet);
  }

  #trace(direction: SmpPacketTrace["direction"], { version: _, body, ...facts }: SmpPacket): void {
    if (!smpPackets.hasSubscribers) return;
    smpPackets.publish({ direction, port: this.#port.name, ...facts, bodyBytes: body.length } satisfies SmpPacketTrace);
  }

  #onUp(stream: Duplex): void {
    this.#reader = new FrameReader({
      onPacket: (packet) => this.#receive(packet),
      onText: (line) => void this.emit("text", line),
    });
    const reader = this.#reader;
    stream.on("data", (chunk: Buffer) => reader.push(chunk));
    this.#packetBytes = undefined;
    stream.write(Uint8Array.of(lineEnd));
    this.#logger.info(`the port ${this.#port.name} is open`);
    this.emit("up");
  }

  #onDown(error: LandfallError): void {
    this.#awaited?.answer.reject(error);
    this.#logger.warn(`waiting for the port ${this.#port.name}: ${error.message}`, { code: error.code });
    this.emit("down", error);
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

function tooLarge(bytes: number, limit: number): LandfallError {
  return new LandfallError("smp.too-large", `the request has ${bytes} bytes, and a packet may have ${limit}`);
}
