import { EventEmitter } from "node:events";
import { isDeepStrictEqual } from "node:util";
import type { ProvisioningSettings } from "../config/settings.ts";
import type { Logger } from "../log.ts";
import type { CallOptions, Route } from "../transport/transport.ts";

/** A way that was found, and why this one. */
export interface FoundRoute {
  readonly service: "dps" | "hub";
  /** The name that is verified. */
  readonly host: string;
  /** The only addresses that are dialled, in this order; absent when the name is resolved at dialling. */
  readonly addresses?: readonly string[];
  /** A stable word: `configured`, `assigned`. */
  readonly reason: string;
}

/** Parts of {@link Routes}. */
export interface RoutesParts {
  readonly provisioning: ProvisioningSettings;
  readonly log: Logger;
}

/**
 * Finds the way to DPS and to hubs, anew for every attempt to connect: where to dial, never whom to verify. An attempt for
 * which there is no way fails with what these methods reject with, and is repeated as the error's retry class says.
 *
 * Emits `found` for a way that differs from the one before to the same service.
 */
export class Routes extends EventEmitter<{ found: [FoundRoute] }> {
  readonly #parts: RoutesParts;
  readonly #latest = new Map<FoundRoute["service"], FoundRoute>();

  constructor(parts: RoutesParts) {
    super();
    this.#parts = parts;
  }

  /** The way to DPS. Rejects with `endpoint.*` or `signal.reason`. */
  async toDps({ signal }: CallOptions = {}): Promise<Route> {
    signal?.throwIfAborted();
    const { provisioning } = this.#parts;
    if (provisioning.source !== "dps") throw new TypeError("there is no DPS to find a way to");
    return this.#found({ service: "dps", host: provisioning.globalEndpoint, reason: "configured" });
  }

  /** The way to a hub. Rejects with `endpoint.*` or `signal.reason`. */
  async toHub(host: string, { signal }: CallOptions = {}): Promise<Route> {
    signal?.throwIfAborted();
    const reason = this.#parts.provisioning.source === "dps" ? "assigned" : "configured";
    return this.#found({ service: "hub", host, reason });
  }

  /** Told only when it is news: a device that cannot reach its hub looks for the way every few seconds. */
  #found(route: FoundRoute): Route {
    const { service, host, addresses } = route;
    if (!isDeepStrictEqual(this.#latest.get(service), route)) {
      this.#latest.set(service, route);
      this.#parts.log.info("found the way", { ...route });
      this.emit("found", route);
    }
    return { host, ...(addresses === undefined ? {} : { addresses }) };
  }
}
