import { describeCause } from "../errors.ts";
import type { JsonValue } from "../json.ts";
import type { Logger } from "../log.ts";
import { type MethodAnswer, methodAnswer } from "./message-limits.ts";
import type { MethodResponse } from "./messages.ts";
import type { HubHandlers } from "./transport.ts";

/** A direct method call as it came. */
export interface MethodCall {
  readonly name: string;
  readonly requestId: string;
  /** JSON, or empty. */
  readonly payload: Uint8Array;
}

/** The direct method calls of one connection: every one is answered, whatever the handler makes of it. */
export class MethodCalls {
  readonly #onMethod: HubHandlers["onMethod"];
  readonly #log: Logger;
  readonly #underWay = new Set<Promise<void>>();
  #open = true;

  constructor(onMethod: HubHandlers["onMethod"], log: Logger) {
    this.#onMethod = onMethod;
    this.#log = log;
  }

  /** Has a call answered through `send`. After {@link drain} it is left aside: the caller gets its time-out. */
  take(call: MethodCall, send: (answer: MethodAnswer) => Promise<void>): void {
    if (!this.#open) return;
    const answered = this.#answer(call, send).catch((error: unknown) => {
      this.#log.warn("a method answer could not be sent", { method: call.name, error: describeCause(error) });
    });
    this.#underWay.add(answered);
    void answered.then(() => this.#underWay.delete(answered));
  }

  /** Takes no more calls; resolves when those under way are answered. */
  async drain(): Promise<void> {
    this.#open = false;
    await Promise.all(this.#underWay);
  }

  async #answer(call: MethodCall, send: (answer: MethodAnswer) => Promise<void>): Promise<void> {
    const answer = methodAnswer(await this.#handle(call));
    if (answer.fault !== undefined) this.#log.error(answer.fault, { method: call.name });
    await send(answer);
  }

  async #handle({ name, requestId, payload }: MethodCall): Promise<MethodResponse> {
    if (!this.#onMethod) return { status: 404, payload: { message: `there is no method ${name}` } };
    const json = payload.byteLength === 0 ? null : parseJson(payload);
    if (json === undefined) return { status: 400, payload: { message: "the payload is not JSON" } };
    try {
      return await this.#onMethod({ requestId, name, payload: json });
    } catch (error) {
      this.#log.error("a method handler failed", { method: name, error: describeCause(error) });
      return { status: 500, payload: { message: "the method failed" } };
    }
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
