import type { Clock } from "../../clock.ts";
import type { Logger } from "../../log.ts";
import type { BlobStore } from "../blob-store.ts";
import type { EventLog } from "../event-log.ts";
import type { Random } from "../randomness.ts";
import type { HubEvidence } from "./identity-check.ts";

/** What a hub is made with. */
export interface HubOptions {
  readonly name: string;
  readonly hostName: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: EventLog;
  /** How many telemetry messages, and how many records of feedback, are kept for reading. */
  readonly recordLimit: number;
  /** Where files go that devices upload. */
  readonly blobs: BlobStore;
  /** Deliveries after which a message is given up. Default 10. */
  readonly maxDeliveryCount?: number | undefined;
  /** Milliseconds that a message lives which says nothing about it. Default one hour. */
  readonly messageTimeToLiveMs?: number | undefined;
}

/** What a device shows with a request over HTTPS. */
export interface HttpsEvidence extends Pick<HubEvidence, "sasToken" | "certificates"> {
  /** The host that it asked, as it wrote it. */
  readonly host: string;
  /** By the hub's clock, milliseconds since the Unix epoch. */
  readonly nowMs: number;
}

/** What `hub.telemetry` and `hub.feedback` take. */
export interface TelemetryOptions {
  /** Only what is of this device. */
  readonly deviceId?: string;
  /** `start` (default): what has arrived already comes first. `now`: only what arrives after the call. */
  readonly from?: "start" | "now";
  readonly signal?: AbortSignal;
}

/** What `hub.invokeMethod` takes. */
export interface InvokeOptions {
  /** Milliseconds to wait for the answer, by the emulator's clock. Default 30 000. */
  readonly timeoutMs?: number;
  /**
   * Milliseconds to wait for the device to connect and to listen for methods, by the emulator's clock. Default 0: it has to
   * be there.
   */
  readonly connectTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A device added by hand, with what a client needs to connect as it. */
export interface AddedDevice {
  readonly deviceId: string;
  /** Absent for devices with a certificate. */
  readonly primaryKey?: string;
  readonly secondaryKey?: string;
  /** In the form that Azure's own device libraries take; absent for devices with a certificate. */
  readonly connectionString?: string;
}
