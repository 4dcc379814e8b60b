import type { MessagePort } from "node:worker_threads";
import { type Deferred, deferred } from "../../deferred.ts";
import type { CborMap } from "../cbor.ts";
import type { McuLink } from "../mcu-link.ts";
import type { SmpPush } from "../smp-client.ts";
import type { LinkNews, LinkOrder, SentPush } from "./link-messages.ts";
import { receivedError, sentError } from "./sent-error.ts";

/** Does over `link` what is asked through `port`, until that is closed. The link stays its owner's. */
export function serveLink(link: McuLink, port: MessagePort): void {
  const server = new LinkServer(link, (news) => port.postMessage(news));
  port.on("message", (order: LinkOrder) => server.take(order));
  port.once("close", () => server.close());
  // Whoever could still ask is no reason for a thread to live on.
  port.unref();
}

class LinkServer {
  readonly #link: McuLink;
  readonly #say: (news: LinkNews) => void;
  readonly #calls = new Map<number, AbortController>();
  readonly #groups = new Map<number, () => void>();
  readonly #pushes = new Map<number, Deferred<CborMap>>();
  #pushed = 0;

  constructor(link: McuLink, say: (news: LinkNews) => void) {
    this.#link = link;
    this.#say = say;
    link.on("up", () => say({ kind: "up" }));
    link.on("down", (error) => say({ kind: "down", error: sentError(error) }));
    link.on("text", (line) => say({ kind: "text", line }));
    if (link.isUp) say({ kind: "up" });
  }

  take(order: LinkOrder): void {
    switch (order.kind) {
      case "request":
      case "packet-bytes":
        void this.#call(order);
        break;
      case "abort":
        this.#calls.get(order.call)?.abort();
        break;
      case "serve":
        this.#groups.set(
          order.group,
          this.#link.serve(order.group, (push) => this.#push(order.group, push)),
        );
        break;
      case "stop-serving":
        this.#groups.get(order.group)?.();
        this.#groups.delete(order.group);
        break;
      case "pushed":
        this.#settle(order);
        break;
    }
  }

  close(): void {
    for (const call of this.#calls.values()) call.abort();
    for (const stop of this.#groups.values()) stop();
    for (const push of this.#pushes.values()) push.reject(new Error("nobody is there any more"));
  }

  async #call(order: Extract<LinkOrder, { kind: "request" | "packet-bytes" }>): Promise<void> {
    const { call } = order;
    const aborting = new AbortController();
    this.#calls.set(call, aborting);
    try {
      this.#say(await this.#outcome(order, { signal: aborting.signal }));
    } catch (error) {
      // Whoever aborted it has been told already.
      if (!aborting.signal.aborted) this.#say({ kind: "failed", call, error: sentError(error) });
    } finally {
      this.#calls.delete(call);
    }
  }

  async #outcome(
    order: Extract<LinkOrder, { kind: "request" | "packet-bytes" }>,
    options: { readonly signal: AbortSignal },
  ): Promise<LinkNews> {
    const { call } = order;
    if (order.kind === "packet-bytes") {
      return { kind: "packet-bytes", call, bytes: await this.#link.packetBytes(options) };
    }
    const { cbor } = this.#link;
    const body = await this.#link.request({ ...order.request, body: cbor.decodeMap(order.request.body) }, options);
    return { kind: "answer", call, body: cbor.encode(body) };
  }

  async #push(group: number, { body, ...asked }: SmpPush): Promise<CborMap> {
    this.#pushed += 1;
    const push = this.#pushed;
    const answer = deferred<CborMap>();
    this.#pushes.set(push, answer);
    const sent: SentPush = { ...asked, body: this.#link.cbor.encode(body) };
    this.#say({ kind: "push", push, group, asked: sent });
    try {
      return await answer.promise;
    } finally {
      this.#pushes.delete(push);
    }
  }

  #settle({ push, body, refusal }: Extract<LinkOrder, { kind: "pushed" }>): void {
    const answer = this.#pushes.get(push);
    if (body !== undefined) answer?.resolve(this.#link.cbor.decodeMap(body));
    else answer?.reject(refusal === undefined ? new Error("it could not be dealt with") : receivedError(refusal));
  }
}
