import { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import { untilAborted } from "../abort.ts";
import { type Clock, systemClock } from "../clock.ts";
import { deferred } from "../deferred.ts";
import { type SmpPacketTrace, smpPackets } from "../diagnostics.ts";
import { describeCause, LandfallError } from "../errors.ts";
import { type Logger, silentLogger } from "../log.ts";
import { type CborCodec, type CborMap, loadCbor } from "./cbor.ts";
import { encodeFrames, lineEnd } from "./console-frames.ts";
import { type FrameDamage, FrameReader } from "./frame-reader.ts";
import type { McuLink, McuLinkEvents } from "./mcu-link.ts";
import { readPacketLimit } from "./packet-limit.ts";
import type { Port } from "./port.ts";
import { PortKeeper } from "./port-keeper.ts";
import { PushDesk } from "./push-desk.ts";
import { RequestDesk } from "./request-desk.ts";
import type { SmpCallOptions, SmpPushHandler, SmpRequest } from "./smp-client.ts";
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

/** Every firmware has room for a packet of so many bytes. */
const surelyFittingBytes = 92;

/** Longest answer that is expected of firmware that has not told how long its packets may be, in bytes. */
const longAnswerBytes = 1024;

/**
 * The link to an MCU: SMP version 2 on a console, both ways. It opens its port and keeps it open; requests wait while the
 * port is away. Requests of ours and of the MCU's are told apart by their operation, answers by their sequence number.
 */
export class SmpLink extends EventEmitter<McuLinkEvents> implements McuLink {
  readonly cbor: CborCodec;
  readonly #port: Port;
  readonly #logger: Logger;
  readonly #keeper: PortKeeper;
  readonly #turns = new Turns();
  readonly #pushes: PushDesk;
  readonly #requests: RequestDesk;
  #reader: FrameReader | undefined;
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
    this.#logger = logger;
    this.cbor = cbor;
    this.#requests = new RequestDesk({
      portName: port.name,
      clock,
      logger,
      // An answer to a request of a former life of this program must not fit one of ours.
      sequence: Math.floor(random() * 256),
      connected: (signal) => this.connected({ signal }),
      send: (packet) => this.#send(packet),
      endLine: () => void this.#keeper.stream?.write(Uint8Array.of(lineEnd)),
      onSilence: () => {
        this.#packetBytes = undefined;
      },
    });
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
    const body = this.cbor.encode(request.body ?? {});
    await this.#requireFits(headerBytes + body.length, { signal });
    return this.#turns.take(() => this.#ask(request, body, signal), signal);
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
    this.#requests.close(this.#keeper.closed.reason);
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What is longer than the MCU's buffer would be dropped there without a word. */
  async #requireFits(bytes: number, options: SmpCallOptions): Promise<void> {
    if (bytes <= surelyFittingBytes) return;
    const limit = await this.packetBytes(options);
    if (bytes <= limit) return;
    throw new LandfallError("smp.too-large", `the request has ${bytes} bytes, and the MCU takes ${limit}`);
  }

  async #ask(request: SmpRequest, body: Uint8Array, signal: AbortSignal | undefined): Promise<CborMap> {
    const longestAnswerBytes = this.#packetBytes ?? longAnswerBytes;
    // Other firmware may come up after a reset, with other buffers.
    if (request.group === 0 && request.command === 5) this.#packetBytes = undefined;
    return this.#read(await this.#requests.exchange(request, body, { longestAnswerBytes, signal }), request);
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
    } else {
      this.#requests.take(packet);
    }
  }

  #trace(direction: SmpPacketTrace["direction"], { version: _, body, ...facts }: SmpPacket): void {
    if (!smpPackets.hasSubscribers) return;
    smpPackets.publish({ direction, port: this.#port.name, ...facts, bodyBytes: body.length } satisfies SmpPacketTrace);
  }

  #onUp(stream: Duplex): void {
    this.#reader = new FrameReader({
      onPacket: (packet) => this.#receive(packet),
      onText: (line) => void this.emit("text", line),
      onDamage: () => this.#requests.damaged(),
    });
    const reader = this.#reader;
    stream.on("data", (chunk: Buffer) => {
      this.#requests.heard();
      reader.push(chunk);
    });
    this.#packetBytes = undefined;
    stream.write(Uint8Array.of(lineEnd));
    this.#requests.opened();
    this.#logger.info(`the port ${this.#port.name} is open`);
    this.emit("up");
  }

  #onDown(error: LandfallError): void {
    this.#requests.unplugged(error);
    this.#logger.warn(`waiting for the port ${this.#port.name}: ${error.message}`, { code: error.code });
    this.emit("down", error);
  }
}
