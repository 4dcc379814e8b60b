import { EventEmitter } from "node:events";
import { isDeepStrictEqual } from "node:util";
import type { EndpointPath } from "../endpoint/endpoint-decision.ts";
import type { Logger } from "../log.ts";
import type { CallOptions, Route } from "../transport/transport.ts";
import type { FoundWay, RouteFinder } from "./route-finder.ts";

/** A way that was found, and why this one. */
export interface FoundRoute {
  readonly service: "dps" | "hub";
  /** The name that is verified. */
  readonly host: string;
  /** The only addresses that are dialled, in this order; absent when whoever carries the connection resolves the name. */
  readonly addresses?: readonly string[];
  /** What the addresses are; `unknown` where a proxy or a rule decides. */
  readonly path: EndpointPath;
  /** A stable word, such as `private-endpoint` or `public-only`; `landfall endpoint` explains it. */
  readonly reason: string;
}

/** Finds ways, and emits `found` for one that differs from the one before to the same service. */
export class Routes extends EventEmitter<{ found: [FoundRoute] }> {
  readonly #finder: RouteFinder;
  readonly #log: Logger;
  readonly #latest = new Map<FoundRoute["service"], FoundRoute>();

  constructor(finder: RouteFinder, log: Logger) {
    super();
    this.#finder = finder;
    this.#log = log;
  }

  /** The way to DPS. Rejects with `endpoint.*` or `signal.reason`. */
  async toDps(options: CallOptions = {}): Promise<Route> {
    options.signal?.throwIfAborted();
    return this.#found("dps", await this.#finder.toDps(options));
  }

  /** The way to a hub. Rejects with `endpoint.*` or `signal.reason`. */
  async toHub(host: string, options: CallOptions = {}): Promise<Route> {
    options.signal?.throwIfAborted();
    return this.#found("hub", await this.#finder.toHub(host, options));
  }

  /** Told only when it is news: a device that cannot reach its hub looks for the way every few seconds. */
  #found(service: FoundRoute["service"], { route, path, reason, text, warnings }: FoundWay): Route {
    const { host, addresses } = route;
    const found: FoundRoute = { service, host, ...(addresses === undefined ? {} : { addresses }), path, reason };
    if (!isDeepStrictEqual(this.#latest.get(service), found)) {
      this.#latest.set(service, found);
      this.#log.info(`found the way: ${text}`, { ...found });
      for (const warning of warnings) this.#log.warn(`${warning.text} ${warning.remedy}`, { code: warning.code });
      this.emit("found", found);
    }
    return route;
  }
}
