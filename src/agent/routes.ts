import { EventEmitter } from "node:events";
import { isDeepStrictEqual } from "node:util";
import type { ProvisioningSettings, TransportName } from "../config/settings.ts";
import type { EndpointPath } from "../endpoint/endpoint-decision.ts";
import type { EndpointFinder } from "../endpoint/endpoint-finder.ts";
import type { ExplainedDecision } from "../endpoint/explain.ts";
import { routeOf } from "../endpoint/route-of.ts";
import { describeCause } from "../errors.ts";
import type { Logger } from "../log.ts";
import { manners } from "../transport/manners.ts";
import type { CallOptions, Route } from "../transport/transport.ts";

/** A way that was found, and why this one. */
export interface FoundRoute {
  readonly service: "dps" | "hub";
  /** The name that is verified. */
  readonly host: string;
  /** The only addresses that are dialled, in this order; absent when whoever carries the connection resolves the name. */
  readonly addresses?: readonly string[];
  /** What the addresses are. */
  readonly path: EndpointPath;
  /** A stable word, such as `private-endpoint` or `public-only`; `landfall endpoint` explains it. */
  readonly reason: string;
}

/** Parts of {@link Routes}. */
export interface RoutesParts {
  readonly provisioning: ProvisioningSettings;
  readonly finder: EndpointFinder;
  /** The transports that will be dialled by. */
  readonly transports: { readonly dps: TransportName; readonly hub: TransportName };
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
  async toDps(options: CallOptions = {}): Promise<Route> {
    const { provisioning, finder, transports } = this.#parts;
    if (provisioning.source !== "dps") throw new TypeError("there is no DPS to find a way to");
    return this.#found("dps", await finder.dps(manners[transports.dps], options));
  }

  /** The way to a hub. Rejects with `endpoint.*` or `signal.reason`. */
  async toHub(host: string, options: CallOptions = {}): Promise<Route> {
    const { finder, transports } = this.#parts;
    return this.#found("hub", await finder.hub(host, manners[transports.hub], options));
  }

  /** Notes that TLS to `host` was verified at `address`: what makes a private path worth remembering. */
  verified(host: string, address: string): void {
    this.#parts.finder.verified(host, address).catch((error: unknown) => {
      this.#parts.log.warn(`the network memory could not be written: ${describeCause(error)}`);
    });
  }

  /** Told only when it is news: a device that cannot reach its hub looks for the way every few seconds. */
  #found(service: FoundRoute["service"], { decision }: ExplainedDecision): Route {
    const route = routeOf(decision);
    const { host, addresses } = route;
    const { path, reason, text, warnings } = decision;
    const found: FoundRoute = { service, host, ...(addresses === undefined ? {} : { addresses }), path, reason };
    if (!isDeepStrictEqual(this.#latest.get(service), found)) {
      this.#latest.set(service, found);
      this.#parts.log.info(`found the way: ${text}`, { ...found });
      for (const warning of warnings) this.#parts.log.warn(`${warning.text} ${warning.remedy}`, { code: warning.code });
      this.emit("found", found);
    }
    return route;
  }
}
