import type { ConnectPacket } from "./packets.ts";
import type { Peer } from "./peer.ts";
import type { Rule } from "./rules.ts";

/** One client's connection, as the services see it. */
export interface DeviceLink {
  readonly peer: Peer;
  readonly connectPacket: ConnectPacket;
  /** Aborts when the connection has ended. */
  readonly signal: AbortSignal;
  /** Why the connection ended, in words; only of use after it has. */
  readonly closeReason: string;
  /** While true, whatever the client sends is lost and nothing reaches it, but the connection stays up. Default false. */
  silent: boolean;
  /** Sends a message with QoS 0. */
  send(topic: string, payload?: string | Uint8Array): void;
  /** Sends a message with QoS 1; resolves when the client has acknowledged it, rejects when the connection ends first. */
  sendAcknowledged(topic: string, payload: Uint8Array, options?: { readonly duplicate?: boolean }): Promise<void>;
  /** Closes because the client broke `rule`; log and record name it. */
  breach(rule: Rule, detail?: string): void;
  /** Lets only the first `bytes` bytes of the next packet out, and cuts the connection when they have gone. */
  cutNext(bytes: number): void;
  /** Cuts the connection at once, as a failing network would. */
  drop(reason?: string): void;
}
