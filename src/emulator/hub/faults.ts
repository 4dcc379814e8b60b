import { type Deferred, deferred } from "../../deferred.ts";
import type { Fault } from "../faults/fault.ts";
import { FaultScript } from "../faults/fault-script.ts";

/**
 * Something that a device asks of a hub and that can go wrong: over MQTT `connect`, `telemetry`, `twin-get` and
 * `twin-patch`, over HTTPS the two requests of a file upload.
 */
export type HubStep = "connect" | "telemetry" | "twin-get" | "twin-patch" | "file-upload" | "file-notification";

/** What can go wrong at a hub. A skewed clock at `connect` also decides when the credential of that connection expires. */
export type HubFault = Fault;

interface Held {
  readonly deviceId: string;
  readonly acknowledged: Deferred<void>;
}

const files = ["file-upload", "file-notification"] as const;
const twin = ["twin-get", "twin-patch"] as const;
const all = ["connect", "telemetry", ...twin, ...files] as const;

/** Faults on demand at one hub, by device id; ids are compared letter by letter, as those of IoT Hub are. */
export class HubFaults extends FaultScript<HubStep, HubFault> {
  readonly #held = new Set<Held>();

  constructor() {
    super({
      steps: {
        status: [...twin, ...files],
        connack: ["connect"],
        delayMs: all,
        cutAfterBytes: all,
        clockSkewMs: ["connect", ...files],
        silence: all,
        drop: all,
        malformed: ["twin-get", "file-upload"],
        "wrong-rid": twin,
        hold: ["telemetry"],
      },
    });
  }

  /** The device of each message whose PUBACK is held, oldest first. */
  get held(): readonly string[] {
    return [...this.#held].map(({ deviceId }) => deviceId);
  }

  /**
   * Lets PUBACKs go that are held, of one device or, without an id, of all; the oldest `count` of them, or every one.
   * Returns how many there were.
   */
  release(deviceId?: string, count?: number): number {
    const held = [...this.#held].filter((each) => deviceId === undefined || each.deviceId === deviceId);
    const released = held.slice(0, count);
    for (const held of released) {
      this.#held.delete(held);
      held.acknowledged.resolve();
    }
    return released.length;
  }

  /** Resolves when {@link release} is called, or the connection has ended. For the service. */
  hold(deviceId: string, signal: AbortSignal): Promise<void> {
    const held: Held = { deviceId, acknowledged: deferred() };
    this.#held.add(held);
    const onEnd = (): void => {
      this.#held.delete(held);
      held.acknowledged.resolve();
    };
    signal.addEventListener("abort", onEnd, { once: true });
    return held.acknowledged.promise.finally(() => signal.removeEventListener("abort", onEnd));
  }
}
