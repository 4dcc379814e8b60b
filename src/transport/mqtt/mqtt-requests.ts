import { randomBytes } from "node:crypto";
import type { Logger } from "../../log.ts";
import type { CallOptions } from "../transport.ts";
import type { MqttSession } from "./mqtt-session.ts";

interface Waiting<Response> {
  resolve(response: Response): void;
  reject(reason: Error): void;
}

/**
 * Requests and their answers over publications: each request carries an id (`$rid`) that comes back in the answer's topic.
 * Ids are random, because a session that outlives its connection may still bring an answer to an older connection's request.
 */
export class MqttRequests<Response> {
  readonly #log: Logger;
  readonly #waiting = new Map<string, Waiting<Response>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Publishes a request named `what` and waits for its answer. Rejects with `transport.timeout` or `transport.closed`. */
  async send(
    session: MqttSession,
    what: string,
    topicFor: (requestId: string) => string,
    body: string,
    options: CallOptions,
  ): Promise<Response> {
    const requestId = randomBytes(6).toString("hex");
    const request = async (signal: AbortSignal): Promise<Response> => {
      const answer = session.whileOpen<Response>((resolve, reject) => {
        this.#waiting.set(requestId, { resolve, reject });
      }, signal);
      answer.catch(() => {}); // it is awaited after the publication, which may fail first
      await session.publish(topicFor(requestId), Buffer.from(body), 0, { signal });
      return answer;
    };
    try {
      return await session.withinTime(what, request, options);
    } finally {
      this.#waiting.delete(requestId);
    }
  }

  /** Hands an answer to the request that waits for it; one that nobody waits for is left aside. */
  answer(requestId: string, response: Response): void {
    const waiting = this.#waiting.get(requestId);
    if (waiting) waiting.resolve(response);
    else this.#log.debug("an answer came that nobody waits for", { requestId });
  }

  /** Rejects everything that waits. */
  rejectAll(reason: Error): void {
    for (const { reject } of this.#waiting.values()) reject(reason);
  }
}
