import type { Clock } from "../../clock.ts";
import { deferred } from "../../deferred.ts";
import type { JsonValue } from "../../json.ts";
import type { DeviceLink } from "../mqtt/device-link.ts";
import { rejection } from "./rejection.ts";

/** What a device answered to a direct method. */
export interface MethodResult {
  readonly status: number;
  /** Parsed JSON; `null` when the answer had no body. */
  readonly payload: JsonValue;
}

/** One call on its way. */
export interface MethodCall {
  readonly link: DeviceLink;
  readonly deviceId: string;
  readonly name: string;
  /** `undefined`: an empty body. */
  readonly payload: JsonValue | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Largest body of a call and of its answer, in bytes. */
export const maxMethodBytes = 131_072;

interface Pending {
  readonly link: DeviceLink;
  answer(status: number, body: Buffer): void;
}

/** The direct methods that a hub has under way. */
export class MethodCalls {
  readonly #clock: Clock;
  readonly #pending = new Map<string, Pending>();
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Calls a method and waits for the answer. Rejects with `emulator.rejected`: too large, no answer in time (504101), the
   * connection ended first (404104), or an answer that is not JSON; or with `signal.reason`.
   */
  async invoke({ link, deviceId, name, payload, timeoutMs, signal }: MethodCall): Promise<MethodResult> {
    const body = payload === undefined ? "" : JSON.stringify(payload);
    if (Buffer.byteLength(body) > maxMethodBytes)
      throw rejection(413001, `a call with more than ${maxMethodBytes} bytes`);
    const answered = deferred<MethodResult>();
    const over = new AbortController();
    const onEnd = (): void => answered.reject(rejection(404104, `${deviceId} left during ${name}`));
    const onAbort = (): void => answered.reject(signal?.reason);
    link.signal.addEventListener("abort", onEnd, { once: true });
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#lastId += 1;
    const requestId = this.#lastId.toString(16);
    this.#pending.set(requestId, { link, answer: (status, bytes) => settle(answered, name, status, bytes) });
    link.send(`$iothub/methods/POST/${encodeURIComponent(name)}/?$rid=${requestId}`, body);
    this.#clock.sleep(timeoutMs, { signal: over.signal }).then(
      () => answered.reject(rejection(504101, `${name} on ${deviceId} took more than ${timeoutMs} ms`)),
      () => {}, // answered in time
    );
    try {
      return await answered.promise;
    } finally {
      over.abort();
      this.#pending.delete(requestId);
      link.signal.removeEventListener("abort", onEnd);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** An answer has come. Returns whether somebody waits for it; a late one is nobody's. */
  answer(link: DeviceLink, requestId: string, status: number, body: Buffer): boolean {
    const pending = this.#pending.get(requestId);
    if (pending === undefined || pending.link !== link) return false;
    pending.answer(status, body);
    return true;
  }
}

function settle(
  answered: { resolve(result: MethodResult): void; reject(reason: unknown): void },
  name: string,
  status: number,
  body: Buffer,
): void {
  const text = body.toString("utf8").trim();
  try {
    answered.resolve({ status, payload: text === "" ? null : (JSON.parse(text) as JsonValue) });
  } catch {
    answered.reject(rejection(400004, `the answer to ${name} is not JSON`));
  }
}
