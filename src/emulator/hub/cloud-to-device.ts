import type { Clock } from "../../clock.ts";
import { type Deferred, deferred } from "../../deferred.ts";
import { LandfallError } from "../../errors.ts";
import { formatPropertyBag } from "../property-bag.ts";
import { rejection } from "./rejection.ts";

/** A message for a device. */
export interface OutgoingCloudMessage {
  /** Text or bytes, at most 65 536 bytes; all properties together have to fit into a topic of 65 535. */
  readonly payload: string | Uint8Array;
  /** Application properties; `null` is a key without a value. */
  readonly properties?: Readonly<Record<string, string | null>>;
  /** Default: a new UUID. */
  readonly messageId?: string;
  readonly correlationId?: string;
  readonly userId?: string;
  readonly contentType?: string;
  readonly contentEncoding?: string;
  /** Milliseconds until the message is dropped undelivered. Default one hour. */
  readonly timeToLiveMs?: number;
  /** The feedback the sender asks for; the device sees it as a property. */
  readonly ack?: "none" | "positive" | "negative" | "full";
}

/** A message in the hub's care. */
export interface SentMessage {
  readonly messageId: string;
  /**
   * Resolves when the device has completed the message, with the moment by the emulator's clock (milliseconds since the
   * epoch). Rejects with `emulator.rejected` when it expires, is delivered 10 times in vain, or the device is removed, and
   * with `emulator.closed` when the emulator is closed first.
   */
  readonly completed: Promise<number>;
}

/** Hands one message to a device; resolves when the device has acknowledged it. */
export type Deliver = (topic: string, payload: Uint8Array, again: boolean) => Promise<void>;

/** Messages that may wait for one device. */
const maxDepth = 50;
const maxBytes = 65_536;
const maxTopicBytes = 65_535;
const maxDeliveries = 10;

interface Entry {
  readonly messageId: string;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly expiresAtMs: number;
  readonly done: Deferred<number>;
  deliveries: number;
}

/**
 * The cloud-to-device queue of one device. It belongs to the hub, not to an MQTT session: messages wait until a connection
 * is subscribed, and whatever that connection leaves unacknowledged is delivered again to the next.
 */
export class CloudToDeviceQueue {
  readonly #deviceId: string;
  readonly #clock: Clock;
  readonly #onCompleted: (messageId: string) => void;
  readonly #entries = new Set<Entry>();
  #deliver: Deliver | undefined;

  constructor(deviceId: string, clock: Clock, onCompleted: (messageId: string) => void) {
    this.#deviceId = deviceId;
    this.#clock = clock;
    this.#onCompleted = onCompleted;
  }

  /** Messages that are not completed. */
  get depth(): number {
    this.#dropExpired();
    return this.#entries.size;
  }

  /** Takes a message into the queue. Throws `emulator.rejected`: 50 are waiting already, or it is too large. */
  add(message: OutgoingCloudMessage & { readonly messageId: string }): SentMessage {
    const payload = Buffer.from(message.payload);
    if (this.depth >= maxDepth) throw rejection(403004, `${maxDepth} messages wait for ${this.#deviceId}`);
    const expiresAtMs = this.#clock.now() + (message.timeToLiveMs ?? 3_600_000);
    const topic = `devices/${this.#deviceId}/messages/devicebound/${bagOf(message, this.#deviceId, expiresAtMs)}`;
    if (payload.length > maxBytes || Buffer.byteLength(topic) > maxTopicBytes) {
      throw rejection(413001, `more than ${maxBytes} bytes of body, or properties that no topic can hold`);
    }
    const entry: Entry = {
      messageId: message.messageId,
      topic,
      payload,
      expiresAtMs,
      done: deferred(),
      deliveries: 0,
    };
    entry.done.promise.catch(() => {}); // a sender that does not care is not an unhandled rejection
    this.#entries.add(entry);
    this.#send(entry);
    return { messageId: entry.messageId, completed: entry.done.promise };
  }

  /** A connection is ready for messages: everything that is not completed goes to it, in order. */
  attach(deliver: Deliver): void {
    this.#deliver = deliver;
    this.#dropExpired();
    for (const entry of [...this.#entries]) this.#send(entry);
  }

  /** That connection is gone, or has unsubscribed. */
  detach(deliver: Deliver): void {
    if (this.#deliver === deliver) this.#deliver = undefined;
  }

  /** Gives up everything that waits, for a reason in words. */
  clear(why: string, code: "emulator.rejected" | "emulator.closed" = "emulator.rejected"): void {
    for (const entry of [...this.#entries]) this.#fail(entry, why, code);
  }

  #send(entry: Entry): void {
    const deliver = this.#deliver;
    if (deliver === undefined) return;
    if (entry.deliveries >= maxDeliveries) {
      this.#fail(entry, `delivered ${maxDeliveries} times and never completed`);
      return;
    }
    entry.deliveries += 1;
    deliver(entry.topic, entry.payload, entry.deliveries > 1).then(
      () => this.#complete(entry),
      () => {}, // the connection ended first; the next one gets the message again
    );
  }

  #complete(entry: Entry): void {
    if (!this.#entries.delete(entry)) return;
    this.#onCompleted(entry.messageId);
    entry.done.resolve(this.#clock.now());
  }

  #fail(entry: Entry, why: string, code: "emulator.rejected" | "emulator.closed" = "emulator.rejected"): void {
    this.#entries.delete(entry);
    const message = `Message ${entry.messageId} for ${this.#deviceId} was never completed: ${why}.`;
    entry.done.reject(new LandfallError(code, message));
  }

  #dropExpired(): void {
    const now = this.#clock.now();
    for (const entry of [...this.#entries]) if (entry.expiresAtMs <= now) this.#fail(entry, "it expired");
  }
}

function bagOf(
  message: OutgoingCloudMessage & { readonly messageId: string },
  deviceId: string,
  expiresAtMs: number,
): string {
  const system: readonly (readonly [string, string | undefined])[] = [
    ["$.mid", message.messageId],
    ["$.to", `/devices/${deviceId}/messages/deviceBound`],
    ["$.cid", message.correlationId],
    ["$.uid", message.userId],
    ["$.ct", message.contentType],
    ["$.ce", message.contentEncoding],
    ["$.exp", message.timeToLiveMs === undefined ? undefined : new Date(expiresAtMs).toISOString()],
    ["iothub-ack", message.ack],
  ];
  const present = system.filter((pair): pair is readonly [string, string] => pair[1] !== undefined);
  return formatPropertyBag([...present, ...Object.entries(message.properties ?? {})]);
}
