import type { DeviceLink } from "./mqtt/device-link.ts";
import { type ConnackCode, connackCodes } from "./mqtt/packets.ts";

/** How a service turns new clients away. */
export type Refusal = "unavailable" | "unauthorized";

/** Ill health of a service, switched on by its owner: turning clients away, and falling silent. */
export class ServiceModes {
  #refusal: Refusal | undefined;
  #silent = false;
  readonly #links = new Set<DeviceLink>();

  /** CONNACK for new clients while they are turned away; `undefined` while they are not. */
  get refusalCode(): ConnackCode | undefined {
    if (this.#refusal === undefined) return undefined;
    return this.#refusal === "unavailable" ? connackCodes.serverUnavailable : connackCodes.notAuthorized;
  }

  /** HTTP status for requests while clients are turned away; `undefined` while they are not. */
  get refusalStatus(): 401 | 503 | undefined {
    if (this.#refusal === undefined) return undefined;
    return this.#refusal === "unavailable" ? 503 : 401;
  }

  refuse(refusal: Refusal | undefined): void {
    this.#refusal = refusal;
  }

  get silent(): boolean {
    return this.#silent;
  }

  /** Falls silent, or speaks again: on every connection there is and every one to come. */
  setSilent(silent: boolean): void {
    this.#silent = silent;
    for (const link of this.#links) link.silent = silent;
  }

  /** Takes a new connection under these modes. */
  watch(link: DeviceLink): void {
    this.#links.add(link);
    link.signal.addEventListener("abort", () => this.#links.delete(link), { once: true });
    if (this.#silent) link.silent = true;
  }
}
