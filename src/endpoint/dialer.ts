import type { TLSSocket } from "node:tls";
import type { TlsIdentity } from "../tls-identity.ts";

/** Where a connection is wanted. */
export interface DialTarget {
  /** The name that is verified: SNI, certificate check, MQTT username. Never an address. */
  readonly host: string;
  /** TCP port, 1 to 65535. */
  readonly port: number;
  /**
   * Vetted addresses, tried one after the other in this order; no other address is dialled.
   * Absent: whatever the system resolves.
   */
  readonly addresses?: readonly string[];
  /** Whether a configured proxy may carry this connection. MQTT on 8883 never goes through one. */
  readonly proxy: "allowed" | "never";
}

/** How a {@link Dialer} is asked. */
export interface DialOptions {
  /** The client certificate to present, if any. */
  readonly identity?: TlsIdentity | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A verified connection and the path it took. */
export interface DialedSocket {
  /** TLS is up and the peer's certificate was verified for {@link DialTarget.host}. */
  readonly socket: TLSSocket;
  /** The address and port that TCP reached, and what led there; for logs and `landfall doctor`. */
  readonly path: DialPath;
}

/** The path of a connection, in facts. */
export interface DialPath {
  /** The address that was vetted or resolved for the name; with a proxy that resolves names, the name itself. */
  readonly address: string;
  /** The address that TCP reached: the proxy's, or where a `connect_to` rule leads, when one applied. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The proxy, without credentials, when one carried the connection. */
  readonly proxy?: string;
  /** The `connect_to` rule that applied, as written in the configuration. */
  readonly connectTo?: string;
}

/**
 * Opens verified TLS connections. Choosing where to dial never changes whom we verify.
 *
 * `dial` rejects with `endpoint.*` errors, with `key.*` when the identity's key cannot be used, or with `signal.reason`.
 * A rejected dial leaves no socket behind.
 */
export interface Dialer {
  dial(target: DialTarget, options?: DialOptions): Promise<DialedSocket>;
}
