import type { X509Certificate } from "node:crypto";
import type { Qos } from "../mqtt/packets.ts";
import { type CloudToDeviceParts, CloudToDeviceQueue } from "./cloud-to-device.ts";
import { type InitialTwin, Twin } from "./twin.ts";

/** How a device proves itself to its hub. */
export type DeviceAuthentication =
  | { readonly kind: "symmetric_key"; readonly primaryKey: string; readonly secondaryKey: string }
  /** Upper-case hexadecimal, SHA-1 or SHA-256. */
  | { readonly kind: "x509"; readonly thumbprints: readonly string[] }
  /** Any certificate below one of these whose common name is the device id. */
  | { readonly kind: "x509_ca"; readonly authorities: readonly X509Certificate[] };

/** What the hub keeps of a device between connections that ask for it: its subscriptions. */
export type Session = Map<string, Qos>;

/** What a {@link Device} is made with. */
export interface DeviceOptions {
  readonly deviceId: string;
  readonly authentication: DeviceAuthentication;
  readonly twin: Twin | InitialTwin | undefined;
  readonly disabled: boolean;
  readonly queue: Omit<CloudToDeviceParts, "deviceId">;
}

/** One device identity of a hub, with all that the hub keeps for it. */
export class Device {
  readonly deviceId: string;
  readonly queue: CloudToDeviceQueue;
  authentication: DeviceAuthentication;
  twin: Twin;
  disabled: boolean;
  /** Present while the last session is persistent (CleanSession 0). */
  session: Session | undefined;

  constructor(options: DeviceOptions) {
    this.deviceId = options.deviceId;
    this.authentication = options.authentication;
    this.disabled = options.disabled;
    this.twin = options.twin instanceof Twin ? options.twin : new Twin(options.twin);
    this.queue = new CloudToDeviceQueue({ deviceId: options.deviceId, ...options.queue });
  }
}
