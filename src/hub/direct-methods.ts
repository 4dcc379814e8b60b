import { untilAborted } from "../abort.ts";
import type { Clock } from "../clock.ts";
import { withDeadline } from "../deadline.ts";
import { type Deferred, deferred } from "../deferred.ts";
import { describeCause, LandfallError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { maxMethodResponseBytes } from "../transport/message-limits.ts";
import type { MethodRequest, MethodResponse } from "../transport/messages.ts";
import type { CallOptions } from "../transport/transport.ts";

/**
 * Answers one call of a direct method. The signal aborts at the deadline, after which the answer is no longer wanted,
 * and when the session is closed.
 */
export type MethodHandler = (
  request: MethodRequest,
  options: { readonly signal: AbortSignal },
) => MethodResponse | Promise<MethodResponse>;

/** Options of a registration. */
export interface MethodOptions {
  /**
   * Milliseconds the handler may take, after which the caller gets status 504. Default 30 000, which is as long as the
   * service waits by default; a caller may ask it to wait up to 3 600 000.
   */
  readonly timeoutMs?: number;
}

interface Registration {
  readonly handler: MethodHandler;
  readonly timeoutMs: number;
}

const defaultTimeoutMs = 30_000;

/**
 * The direct methods of a device. A call is always answered: 404 for a method nobody handles, 500 for a handler that
 * failed, 504 for one that was too slow, 503 once the session closes. These answers carry `{ "error": … }` with a general
 * text; what went wrong is in the log of the device and does not leave it.
 */
export class DirectMethods {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #registrations = new Map<string, Registration>();
  readonly #closing = new AbortController();
  #fallback: Registration | undefined;
  #running = 0;
  #changed: Deferred<void> = deferred();

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Handles calls of `name` until disposed of. Throws `hub.method-exists` when the name has a handler. */
  handle(name: string, handler: MethodHandler, { timeoutMs = defaultTimeoutMs }: MethodOptions = {}): Disposable {
    if (this.#registrations.has(name)) {
      throw new LandfallError("hub.method-exists", `the direct method ${JSON.stringify(name)} has a handler already`);
    }
    const registration = { handler, timeoutMs };
    this.#registrations.set(name, registration);
    return {
      [Symbol.dispose]: () => {
        if (this.#registrations.get(name) === registration) this.#registrations.delete(name);
      },
    };
  }

  /** Handles calls that no other handler is for. Throws `hub.method-exists` when there is such a handler. */
  handleOthers(handler: MethodHandler, { timeoutMs = defaultTimeoutMs }: MethodOptions = {}): Disposable {
    if (this.#fallback) {
      throw new LandfallError("hub.method-exists", "there is a handler for all other direct methods already");
    }
    const registration = { handler, timeoutMs };
    this.#fallback = registration;
    return {
      [Symbol.dispose]: () => {
        if (this.#fallback === registration) this.#fallback = undefined;
      },
    };
  }

  /** Runs the handler of a call. Never rejects. */
  async call(request: MethodRequest): Promise<MethodResponse> {
    const registration = this.#registrations.get(request.name) ?? this.#fallback;
    if (!registration) return failure(404, `The device has no method ${JSON.stringify(request.name)}.`);
    this.#running += 1;
    try {
      return await this.#run(registration, request);
    } finally {
      this.#running -= 1;
      this.#announce();
    }
  }

  /** Resolves when no handler is running. Rejects with `signal.reason`. */
  async idle({ signal }: CallOptions = {}): Promise<void> {
    while (this.#running > 0) await untilAborted(this.#changed.promise, signal);
  }

  /** Aborts every running handler with `reason`; later calls are answered with 503. Idempotent. */
  close(reason: Error): void {
    this.#closing.abort(reason);
  }

  async #run({ handler, timeoutMs }: Registration, request: MethodRequest): Promise<MethodResponse> {
    let late: Error | undefined;
    const expired = (): Error => {
      late = new LandfallError("hub.method-timeout", `the handler did not answer within ${timeoutMs} ms`);
      return late;
    };
    const deadline = { clock: this.#clock, ms: timeoutMs, expired, signal: this.#closing.signal };
    try {
      return this.#checked(request, await withDeadline(async (signal) => handler(request, { signal }), deadline));
    } catch (error) {
      if (this.#closing.signal.aborted) return shuttingDown;
      this.#report(request, describeCause(error), error);
      return error === late
        ? failure(504, "The device did not finish the method in time.")
        : failure(500, "The method failed on the device.");
    }
  }

  /** What a handler returned, which may be plain JavaScript and return anything. */
  #checked(request: MethodRequest, response: MethodResponse | undefined): MethodResponse {
    if (!Number.isInteger(response?.status)) {
      this.#report(request, `expected a response with an integer status, found ${String(response?.status)}`);
      return failure(500, "The method failed on the device.");
    }
    const { status, payload } = response as MethodResponse;
    if (payload === undefined) return { status };
    const bytes = Buffer.byteLength(JSON.stringify(payload));
    if (bytes > maxMethodResponseBytes) {
      this.#report(request, `an answer may have ${maxMethodResponseBytes} bytes as JSON; this one has ${bytes}`);
      return failure(500, "The method's answer is larger than the service allows.");
    }
    return { status, payload };
  }

  #report({ name }: MethodRequest, problem: string, error?: unknown): void {
    this.#log.error(
      `the direct method ${JSON.stringify(name)} failed: ${problem}`,
      error === undefined ? {} : { error },
    );
  }

  #announce(): void {
    const changed = this.#changed;
    this.#changed = deferred();
    changed.resolve();
  }
}

const failure = (status: number, error: string): MethodResponse => ({ status, payload: { error } });

const shuttingDown = failure(503, "The device is shutting down.");
