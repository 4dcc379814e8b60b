import { deferred } from "../../deferred.ts";
import { describeCause } from "../../errors.ts";
import { isJsonObject, type JsonValue } from "../../json.ts";
import type { Logger } from "../../log.ts";
import { type MethodAnswer, methodAnswer } from "../message-limits.ts";
import type { MethodResponse } from "../messages.ts";
import type { HubHandlers } from "../transport.ts";
import { cloudMessageOf, type HubTopic, parseHubTopic } from "./hub-wire.ts";
import { MqttRequests } from "./mqtt-requests.ts";
import type { Publication } from "./mqtt-session.ts";

/** The answer to a twin request. */
export interface TwinResponse {
  readonly status: number;
  readonly version?: number;
  readonly payload: Uint8Array;
}

/** Sorts what a hub publishes: to the handlers, and answers to those who asked. */
export class HubInbox {
  readonly twinRequests: MqttRequests<TwinResponse>;
  /** Sends an answer to a direct method; set once the connection is up. */
  readonly answering = deferred<(requestId: string, answer: MethodAnswer) => Promise<void>>();
  readonly #handlers: HubHandlers;
  readonly #log: Logger;
  readonly #methods = new Set<Promise<void>>();
  #open = true;

  constructor(handlers: HubHandlers, log: Logger) {
    this.#handlers = handlers;
    this.#log = log;
    this.twinRequests = new MqttRequests(log);
  }

  /** Takes one publication. What it returns holds back the acknowledgement of a cloud-to-device message. */
  take({ topic, payload }: Publication): Promise<void> | undefined {
    const parsed = parseHubTopic(topic);
    switch (parsed?.kind) {
      case "message":
        return this.#takeMessage(parsed.bag, payload);
      case "method":
        this.#takeMethod(parsed, payload);
        return undefined;
      case "desired":
        this.#takeDesired(parsed.version, payload);
        return undefined;
      case "twinResponse": {
        const { requestId, kind: _, ...response } = parsed;
        this.twinRequests.answer(requestId, { ...response, payload });
        return undefined;
      }
      default:
        this.#log.debug("a publication came on a topic that no hub uses", { topic });
        return undefined;
    }
  }

  /** Takes no more messages and methods; resolves when the methods under way are answered. */
  async drain(): Promise<void> {
    this.#open = false;
    await Promise.all(this.#methods);
  }

  #takeMessage(bag: string, payload: Uint8Array): Promise<void> {
    const { onMessage } = this.#handlers;
    // Not acknowledged, so the hub keeps it for the next connection.
    if (!onMessage || !this.#open) return Promise.reject(new Error("nobody takes messages at this time"));
    return onMessage(cloudMessageOf(bag, payload));
  }

  #takeMethod({ name, requestId }: HubTopic & { kind: "method" }, payload: Uint8Array): void {
    if (!this.#open) return; // the caller gets its time-out, as if we had been gone already
    const answered = this.#answerMethod(name, requestId, payload).catch((error: unknown) => {
      this.#log.warn("a method answer could not be sent", { method: name, error: describeCause(error) });
    });
    this.#methods.add(answered);
    void answered.then(() => this.#methods.delete(answered));
  }

  async #answerMethod(name: string, requestId: string, payload: Uint8Array): Promise<void> {
    const answer = methodAnswer(await this.#callMethod(name, requestId, payload));
    if (answer.fault !== undefined) this.#log.error(answer.fault, { method: name });
    const send = await this.answering.promise;
    await send(requestId, answer);
  }

  async #callMethod(name: string, requestId: string, payload: Uint8Array): Promise<MethodResponse> {
    const { onMethod } = this.#handlers;
    if (!onMethod) return { status: 404, payload: { message: `there is no method ${name}` } };
    const json = payload.byteLength === 0 ? null : parseJson(payload);
    if (json === undefined) return { status: 400, payload: { message: "the payload is not JSON" } };
    try {
      return await onMethod({ requestId, name, payload: json });
    } catch (error) {
      this.#log.error("a method handler failed", { method: name, error: describeCause(error) });
      return { status: 500, payload: { message: "the method failed" } };
    }
  }

  #takeDesired(topicVersion: number | undefined, payload: Uint8Array): void {
    const json = parseJson(payload);
    if (!isJsonObject(json)) {
      this.#log.warn("a change of desired properties is not a JSON object; it is left aside");
      return;
    }
    const { $version, ...patch } = json;
    const version = topicVersion ?? $version;
    if (typeof version !== "number") {
      this.#log.warn("a change of desired properties has no version; it is left aside");
      return;
    }
    this.#handlers.onDesired?.({ version, patch });
  }
}

/** The JSON value of a body; `undefined` when it holds none. */
export function parseJson(payload: Uint8Array): JsonValue | undefined {
  try {
    return JSON.parse(Buffer.from(payload).toString("utf8")) as JsonValue;
  } catch {
    return undefined;
  }
}
