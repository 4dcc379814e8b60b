import type { EndpointPath } from "../endpoint/endpoint-decision.ts";
import type { CallOptions, Route } from "../transport/transport.ts";

/** A way to a service, and why this one. */
export interface FoundWay {
  readonly route: Route;
  /** What the addresses are; `unknown` where a proxy or a rule decides. */
  readonly path: EndpointPath;
  /** A stable word, such as `private-endpoint` or `public-only`; `landfall endpoint` explains it. */
  readonly reason: string;
  /** The reason as a sentence. */
  readonly text: string;
  /** What a person should know about it. */
  readonly warnings: readonly { readonly code: string; readonly text: string; readonly remedy: string }[];
}

/** Finds the way to DPS and to hubs, anew for every attempt to connect: where to dial, never whom to verify. */
export interface RouteFinder {
  /** The way to DPS. Rejects with `endpoint.*` or `signal.reason`. */
  toDps(options?: CallOptions): Promise<FoundWay>;
  /** The way to a hub. Rejects with `endpoint.*` or `signal.reason`. */
  toHub(host: string, options?: CallOptions): Promise<FoundWay>;
  /** Told when TLS to `host` was verified at `address`, on a way that no proxy carried. The connection waits for it. */
  verified?(host: string, address: string): Promise<void>;
}
