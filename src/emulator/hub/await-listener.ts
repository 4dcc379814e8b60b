import type { Clock } from "../../clock.ts";
import { LandfallError } from "../../errors.ts";
import type { EventLog } from "../event-log.ts";
import type { DeviceConnection } from "./device-connection.ts";
import type { HubService } from "./hub-service.ts";
import type { Channel } from "./topics.ts";

/** What {@link awaitListener} works with. */
export interface ListenerParts {
  readonly service: HubService;
  readonly events: EventLog;
  readonly clock: Clock;
}

/** Whom to wait for, and how long. */
export interface AwaitedListener {
  readonly deviceId: string;
  readonly channel: Channel;
  /** Milliseconds by the emulator's clock; 0 does not wait. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The next connection on which a device listens to a channel; `undefined` when there was none in time.
 * Rejects with `emulator.closed`, or with `signal.reason`.
 */
export async function awaitListener(
  { service, events, clock }: ListenerParts,
  { deviceId, channel, waitMs, signal }: AwaitedListener,
): Promise<DeviceConnection | undefined> {
  if (waitMs === 0) return undefined;
  const decided = new AbortController();
  const over = signal === undefined ? decided.signal : AbortSignal.any([signal, decided.signal]);
  const arrival = async (): Promise<DeviceConnection> => {
    for await (const _ of events.watch({ from: "now", signal: over })) {
      const arrived = service.listenerOf(deviceId, channel);
      if (arrived !== undefined) return arrived;
    }
    throw new LandfallError("emulator.closed", `The emulator was closed before ${deviceId} listened to ${channel}.`);
  };
  const tooLate = async (): Promise<undefined> => {
    await clock.sleep(waitMs, { signal: over });
  };
  try {
    return await Promise.race([arrival(), tooLate()]);
  } finally {
    decided.abort(); // the other one rejects, and nobody listens any more
  }
}
