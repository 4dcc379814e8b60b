import type { ConnectedPeer } from "../mqtt/peer.ts";

/** One HTTP request as the services see it. */
export interface HttpExchange {
  readonly method: string;
  /** Without the query; still percent-encoded. */
  readonly path: string;
  /** The header `Authorization`. */
  readonly authorization: string | undefined;
  readonly peer: ConnectedPeer;
}

/** What a service answers. The headers `Date` and `Content-Type: application/json` are added. */
export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}
