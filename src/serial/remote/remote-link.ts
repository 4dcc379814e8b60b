import { EventEmitter } from "node:events";
import type { MessagePort } from "node:worker_threads";
import { onAbort, untilAborted } from "../../abort.ts";
import { type Deferred, deferred } from "../../deferred.ts";
import { LandfallError } from "../../errors.ts";
import { type Logger, silentLogger } from "../../log.ts";
import { type CborCodec, type CborMap, loadCbor } from "../cbor.ts";
import type { McuLink, McuLinkEvents } from "../mcu-link.ts";
import type { SmpCallOptions, SmpPushHandler, SmpRequest } from "../smp-client.ts";
import { SmpRefusal } from "../smp-faults.ts";
import type { LinkNews, LinkOrder } from "./link-messages.ts";
import { receivedError, sentError } from "./sent-error.ts";

/** Settings of a {@link RemoteLink}. */
export interface RemoteLinkOptions {
  /** Name of the serial port. */
  readonly portName: string;
  /** Default: silent. */
  readonly logger?: Logger;
}

type Answer = Extract<LinkNews, { kind: "answer" | "packet-bytes" }>;

/** A link to an MCU whose port another thread has. It outlasts that thread: another can take its place. */
export class RemoteLink extends EventEmitter<McuLinkEvents> implements McuLink {
  readonly cbor: CborCodec;
  readonly portName: string;
  readonly #logger: Logger;
  readonly #handlers = new Map<number, SmpPushHandler>();
  readonly #calls = new Map<number, Deferred<Answer>>();
  readonly #closing = new AbortController();
  #messages: MessagePort | undefined;
  #called = 0;
  #up: Deferred<void> = deferred();
  #isUp = false;
  #lastFailure: LandfallError | undefined;

  /** A link without a thread, which waits until it is given one. */
  static async start(options: RemoteLinkOptions): Promise<RemoteLink> {
    return new RemoteLink(options, await loadCbor());
  }

  private constructor({ portName, logger = silentLogger }: RemoteLinkOptions, cbor: CborCodec) {
    super();
    this.cbor = cbor;
    this.portName = portName;
    this.#logger = logger;
  }

  /**
   * Has the thread at the other end of `messages`, where `serveLink` is, do from now on what is asked of this link, to which
   * `messages` belongs then. Until it ends, requests go there; those that are under way then reject with `serial.unplugged`,
   * and later ones wait for the next thread.
   */
  attach(messages: MessagePort): void {
    this.#closing.signal.throwIfAborted();
    if (this.#messages !== undefined) this.#lose(this.#messages);
    this.#messages = messages;
    messages.on("message", (news: LinkNews) => this.#take(news));
    messages.once("close", () => this.#lose(messages));
    for (const group of this.#handlers.keys()) this.#order({ kind: "serve", group });
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get lastFailure(): LandfallError | undefined {
    return this.#lastFailure;
  }

  async connected({ signal }: SmpCallOptions = {}): Promise<void> {
    while (!this.#isUp) await untilAborted(untilAborted(this.#up.promise, this.#closing.signal), signal);
  }

  async request({ body = {}, ...request }: SmpRequest, { signal }: SmpCallOptions = {}): Promise<CborMap> {
    const sent = { ...request, body: this.cbor.encode(body) };
    const answer = await this.#call((call) => ({ kind: "request", call, request: sent }), signal);
    return answer.kind === "answer" ? this.cbor.decodeMap(answer.body) : {};
  }

  async packetBytes({ signal }: SmpCallOptions = {}): Promise<number> {
    const answer = await this.#call((call) => ({ kind: "packet-bytes", call }), signal);
    return answer.kind === "packet-bytes" ? answer.bytes : 0;
  }

  serve(group: number, handler: SmpPushHandler): () => void {
    this.#handlers.set(group, handler);
    this.#order({ kind: "serve", group });
    return () => {
      if (this.#handlers.get(group) !== handler) return;
      this.#handlers.delete(group);
      this.#order({ kind: "stop-serving", group });
    };
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const reason = new LandfallError("serial.closed", `the link over ${this.portName} was closed`);
    this.#closing.abort(reason);
    for (const call of this.#calls.values()) call.reject(reason);
    this.#messages?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #call(order: (call: number) => LinkOrder, signal: AbortSignal | undefined): Promise<Answer> {
    signal?.throwIfAborted();
    this.#closing.signal.throwIfAborted();
    if (this.#messages === undefined) await this.connected({ signal });
    this.#called += 1;
    const call = this.#called;
    const answer = deferred<Answer>();
    this.#calls.set(call, answer);
    const stopListening = onAbort(signal, () => this.#order({ kind: "abort", call }));
    this.#order(order(call));
    try {
      return await untilAborted(answer.promise, signal);
    } finally {
      stopListening();
      this.#calls.delete(call);
    }
  }

  #order(order: LinkOrder): void {
    if (!this.#closing.signal.aborted) this.#messages?.postMessage(order);
  }

  /** The thread has ended, and with it everything that it was asked for. */
  #lose(messages: MessagePort): void {
    if (this.#messages !== messages || this.#closing.signal.aborted) return;
    this.#messages = undefined;
    messages.close();
    const reason = new LandfallError("serial.unplugged", `the thread that has the port ${this.portName} has ended`);
    for (const call of this.#calls.values()) call.reject(reason);
    if (this.#isUp) this.#onDown(reason);
    this.#lastFailure = reason;
  }

  #take(news: LinkNews): void {
    switch (news.kind) {
      case "answer":
      case "packet-bytes":
        this.#calls.get(news.call)?.resolve(news);
        break;
      case "failed":
        this.#calls.get(news.call)?.reject(receivedError(news.error));
        break;
      case "push":
        void this.#answer(news);
        break;
      case "up":
        this.#onUp();
        break;
      case "down":
        this.#onDown(receivedError(news.error));
        break;
      case "text":
        this.emit("text", news.line);
        break;
    }
  }

  /** Never rejects: what could not be dealt with the MCU says again. */
  async #answer({ push, group, asked }: Extract<LinkNews, { kind: "push" }>): Promise<void> {
    try {
      const answer = await this.#handlers.get(group)?.({ ...asked, body: this.cbor.decodeMap(asked.body) });
      this.#order({ kind: "pushed", push, ...(answer === undefined ? {} : { body: this.cbor.encode(answer) }) });
    } catch (error) {
      this.#order({ kind: "pushed", push, ...(error instanceof SmpRefusal ? { refusal: sentError(error) } : {}) });
    }
  }

  #onUp(): void {
    this.#isUp = true;
    this.#lastFailure = undefined;
    this.#up.resolve();
    this.#logger.info(`the port ${this.portName} is open`);
    this.emit("up");
  }

  #onDown(error: LandfallError): void {
    if (this.#isUp) this.#up = deferred();
    this.#isUp = false;
    this.#lastFailure = error;
    this.#logger.warn(`waiting for the port ${this.portName}: ${error.message}`, { code: error.code });
    this.emit("down", error);
  }
}
