import { EventEmitter } from "node:events";
import type { DpsSettings } from "../config/settings.ts";
import type { Route } from "../transport/transport.ts";

/** A way that was found, and why this one. */
export interface FoundRoute {
  readonly service: "dps" | "hub";
  readonly host: string;
  /** A stable word: `configured`, `assigned`. */
  readonly reason: string;
}

/** Finds the way to DPS and to hubs, anew for every connection, and tells `found` what it found. */
export class Routes extends EventEmitter<{ found: [FoundRoute] }> {
  /** The way to DPS. */
  async toDps({ globalEndpoint: host }: DpsSettings): Promise<Route> {
    this.emit("found", { service: "dps", host, reason: "configured" });
    return { host };
  }

  /** The way to the hub of an assignment. */
  async toHub(host: string): Promise<Route> {
    this.emit("found", { service: "hub", host, reason: "assigned" });
    return { host };
  }
}
