import type { Clock } from "../../clock.ts";
import { type Deferred, deferred } from "../../deferred.ts";
import { LandfallError } from "../../errors.ts";
import { formatPropertyBag } from "../property-bag.ts";
import type { FeedbackRequest, MessageOutcome, MessageStatus } from "./feedback.ts";
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
  /** Milliseconds until the message expires, by the emulator's clock. Default that of the hub: one hour. */
  readonly timeToLiveMs?: number;
  /** The feedback that the sender asks for; the device sees it as a property. Default none. */
  readonly ack?: FeedbackRequest;
}

/** A message in the hub's care. */
export interface SentMessage {
  readonly messageId: string;
  /**
   * Resolves when the device has completed the message, with the moment by the emulator's clock (milliseconds since the
   * epoch). Rejects with `emulator.rejected` when it ends otherwise: it expires, is delivered 10 times in vain, is rejected,
   * or the queue is purged; and with `emulator.closed` when the emulator is closed first.
   */
  readonly completed: Promise<number>;
}

/** Hands one message to a device; resolves when the device has acknowledged it. */
export type Deliver = (topic: string, payload: Uint8Array, again: boolean) => Promise<void>;

/** Messages that may wait for one device. */
const maxDepth = 50;
const maxBytes = 65_536;
const maxTopicBytes = 65_535;

/** What holds for all cloud-to-device messages of a hub. */
export interface CloudToDeviceSettings {
  /** Deliveries after which a message is given up, 1 to 100. The service's default is 10. */
  readonly maxDeliveryCount: number;
  /** Milliseconds that a message lives that says nothing about it. The service's default is one hour. */
  readonly messageTimeToLiveMs: number;
}

/** What a {@link CloudToDeviceQueue} works with. */
export interface CloudToDeviceParts extends CloudToDeviceSettings {
  readonly deviceId: string;
  readonly deviceGenerationId: string;
  readonly clock: Clock;
  /** Told of the end of every message. */
  readonly onOutcome: (outcome: MessageOutcome) => void;
}

interface Entry {
  readonly messageId: string;
  readonly ack: FeedbackRequest;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly expiresAtMs: number;
  readonly done: Deferred<number>;
  /** Aborts when the message has come to its end. */
  readonly over: AbortController;
  deliveries: number;
}

/**
 * The cloud-to-device queue of one device. It belongs to the hub, not to an MQTT session: messages wait until a connection
 * is subscribed, and whatever that connection leaves unacknowledged is delivered again to the next.
 */
export class CloudToDeviceQueue {
  readonly #parts: CloudToDeviceParts;
  readonly #entries = new Set<Entry>();
  #deliver: Deliver | undefined;

  constructor(parts: CloudToDeviceParts) {
    this.#parts = parts;
  }

  /** Takes a message into the queue. Throws `emulator.rejected`: 50 are waiting already, or it is too large. */
  add(message: OutgoingCloudMessage & { readonly messageId: string }): SentMessage {
    const { deviceId, clock, messageTimeToLiveMs } = this.#parts;
    const payload = Buffer.from(message.payload);
    if (this.#entries.size >= maxDepth) throw rejection(403004, `${maxDepth} messages wait for ${deviceId}`);
    const expiresAtMs = clock.now() + (message.timeToLiveMs ?? messageTimeToLiveMs);
    const topic = `devices/${deviceId}/messages/devicebound/${bagOf(message, deviceId, expiresAtMs)}`;
    if (payload.length > maxBytes || Buffer.byteLength(topic) > maxTopicBytes) {
      throw rejection(413001, `more than ${maxBytes} bytes of body, or properties that no topic can hold`);
    }
    const entry: Entry = {
      messageId: message.messageId,
      ack: message.ack ?? "none",
      topic,
      payload,
      expiresAtMs,
      done: deferred(),
      over: new AbortController(),
      deliveries: 0,
    };
    entry.done.promise.catch(() => {}); // a sender that does not care is not an unhandled rejection
    this.#entries.add(entry);
    this.#send(entry);
    this.#expire(entry).catch(() => {}); // it came to another end first
    return { messageId: entry.messageId, completed: entry.done.promise };
  }

  /** A connection is ready for messages: everything that is not completed goes to it, in order. */
  attach(deliver: Deliver): void {
    this.#deliver = deliver;
    for (const entry of [...this.#entries]) this.#send(entry);
  }

  /** That connection is gone, or has unsubscribed. */
  detach(deliver: Deliver): void {
    if (this.#deliver === deliver) this.#deliver = undefined;
  }

  /** Gives up everything that waits, for a reason in words. Returns how many there were. */
  purge(why: string): number {
    const entries = [...this.#entries];
    for (const entry of entries) this.#end(entry, "Purged", why);
    return entries.length;
  }

  /** Rejects a message that waits. Returns whether there is one by that id. */
  reject(messageId: string): boolean {
    const entry = [...this.#entries].find((each) => each.messageId === messageId);
    if (entry !== undefined) this.#end(entry, "Rejected", "it was rejected");
    return entry !== undefined;
  }

  /** Ends whoever waits for a message to be completed: there will be no more hub to tell. */
  close(): void {
    for (const entry of this.#entries) {
      entry.over.abort();
      entry.done.reject(this.#error(entry, "emulator.closed", "the emulator was closed"));
    }
    this.#entries.clear();
  }

  #send(entry: Entry): void {
    const deliver = this.#deliver;
    if (deliver === undefined) return;
    if (entry.expiresAtMs <= this.#parts.clock.now()) {
      // A clock that was set forward wakes nobody.
      this.#end(entry, "Expired", "it expired");
      return;
    }
    if (entry.deliveries >= this.#parts.maxDeliveryCount) {
      this.#giveUp(entry);
      return;
    }
    entry.deliveries += 1;
    const delivery = entry.deliveries;
    deliver(entry.topic, entry.payload, delivery > 1).then(
      () => this.#end(entry, "Success"),
      () => {
        // The connection ended first; the next one gets the message again, unless this was the last delivery.
        if (delivery >= this.#parts.maxDeliveryCount) this.#giveUp(entry);
      },
    );
  }

  #giveUp(entry: Entry): void {
    this.#end(entry, "DeliveryCountExceeded", `delivered ${entry.deliveries} times and never completed`);
  }

  async #expire(entry: Entry): Promise<void> {
    const { clock } = this.#parts;
    for (;;) {
      const leftMs = entry.expiresAtMs - clock.now();
      if (leftMs <= 0) break;
      await clock.sleep(leftMs, { signal: entry.over.signal });
    }
    this.#end(entry, "Expired", "it expired");
  }

  /** Only the first end of a message counts. */
  #end(entry: Entry, status: MessageStatus, why = ""): void {
    if (!this.#entries.delete(entry)) return;
    entry.over.abort();
    const { deviceId, deviceGenerationId, clock, onOutcome } = this.#parts;
    const { messageId, ack } = entry;
    const atMs = clock.now();
    onOutcome({ deviceId, deviceGenerationId, messageId, ack, status, atMs });
    if (status === "Success") entry.done.resolve(atMs);
    else entry.done.reject(this.#error(entry, "emulator.rejected", why));
  }

  #error({ messageId }: Entry, code: "emulator.rejected" | "emulator.closed", why: string): LandfallError {
    return new LandfallError(code, `Message ${messageId} for ${this.#parts.deviceId} was never completed: ${why}.`);
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
