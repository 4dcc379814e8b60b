import type { Clock } from "../../clock.ts";
import type { DeviceLink } from "../mqtt/device-link.ts";
import type { Fault } from "./fault.ts";

/** How an answer goes out when something is wrong with the way; nothing set is at once and whole. */
export interface Delivery {
  /** Milliseconds by the emulator's clock. */
  readonly delayMs?: number;
  /** Only so many bytes go out, then the connection is cut. */
  readonly cutAfterBytes?: number;
}

/** What a fault means for the way that an answer takes. */
export function deliveryOf(fault: Fault | undefined): Delivery {
  if (typeof fault !== "object") return {};
  if ("delayMs" in fault) return { delayMs: fault.delayMs };
  return "cutAfterBytes" in fault ? { cutAfterBytes: fault.cutAfterBytes } : {};
}

/** How far a fault puts the service's clock ahead, in milliseconds. */
export function clockSkewOf(fault: Fault | undefined): number {
  return typeof fault === "object" && "clockSkewMs" in fault ? fault.clockSkewMs : 0;
}

/** Whether a fault loses a connection before its client is looked at; silences or cuts it then. */
export function losesConnection(link: DeviceLink, fault: Fault | undefined): boolean {
  if (fault === "silence") link.silent = true;
  else if (fault === "drop") link.drop();
  else return false;
  return true;
}

/** Sends one packet over `link` as `delivery` wants it; `send` is not called when the connection ends first. */
export function deliver(link: DeviceLink, clock: Clock, { delayMs, cutAfterBytes }: Delivery, send: () => void): void {
  const go = (): void => {
    if (cutAfterBytes !== undefined) link.cutNext(cutAfterBytes);
    send();
  };
  if (delayMs === undefined) go();
  else clock.sleep(delayMs, { signal: link.signal }).then(go, () => {});
}

/**
 * The same for a packet that the link sends by itself, CONNACK or PUBACK, as its next one. The promise resolves when it may
 * go out, also where the connection has ended meanwhile; `undefined` is at once.
 */
export function disturbNext(link: DeviceLink, clock: Clock, fault: Fault | undefined): Promise<void> | undefined {
  const { delayMs, cutAfterBytes } = deliveryOf(fault);
  if (cutAfterBytes !== undefined) link.cutNext(cutAfterBytes);
  return delayMs === undefined ? undefined : clock.sleep(delayMs, { signal: link.signal }).catch(() => {});
}
