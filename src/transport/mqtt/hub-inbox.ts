import { deferred } from "../../deferred.ts";
import { isJsonObject } from "../../json.ts";
import type { Logger } from "../../log.ts";
import type { MethodAnswer } from "../message-limits.ts";
import { MethodCalls, parseJson } from "../method-calls.ts";
import type { HubHandlers } from "../transport.ts";
import { cloudMessageOf, parseHubTopic } from "./hub-wire.ts";
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
  readonly #methods: MethodCalls;
  #open = true;

  constructor(handlers: HubHandlers, log: Logger) {
    this.#handlers = handlers;
    this.#log = log;
    this.#methods = new MethodCalls(handlers.onMethod, log);
    this.twinRequests = new MqttRequests(log);
  }

  /** Takes one publication. What it returns holds back the acknowledgement of a cloud-to-device message. */
  take({ topic, payload }: Publication): Promise<void> | undefined {
    const parsed = parseHubTopic(topic);
    switch (parsed?.kind) {
      case "message":
        return this.#takeMessage(parsed.bag, payload);
      case "method":
        this.#methods.take({ ...parsed, payload }, async (answer) => {
          const send = await this.answering.promise;
          await send(parsed.requestId, answer);
        });
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
    await this.#methods.drain();
  }

  #takeMessage(bag: string, payload: Uint8Array): Promise<void> {
    const { onMessage } = this.#handlers;
    // Not acknowledged, so the hub keeps it for the next connection.
    if (!onMessage || !this.#open) return Promise.reject(new Error("nobody takes messages at this time"));
    return onMessage(cloudMessageOf(bag, payload));
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
