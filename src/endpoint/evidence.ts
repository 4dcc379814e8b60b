import { normaliseHost } from "./host-name.ts";
import type { HostsEntry } from "./hosts-file.ts";
import type { ServerAnswer } from "./server-answer.ts";

/** Everything that was observed before a decision. Plain data: it can be stored, printed and decided upon again. */
export interface EndpointEvidence {
  /** Wall-clock time of the observation, milliseconds since the epoch. */
  readonly gatheredAt: number;
  /** One entry for each name that may be dialled. */
  readonly names: readonly NameEvidence[];
  /** NAT64 prefixes in use here beside the well-known one, as `2001:db8:64::/96`. */
  readonly nat64Prefixes: readonly string[];
}

/** What was observed about one name. */
export interface NameEvidence {
  /** The name in full, in lower case, without the final dot. */
  readonly host: string;
  /** Every configured name server, as `10.0.0.4:53`; each owes an answer. */
  readonly servers: readonly string[];
  /** One answer for each server and record type. */
  readonly answers: readonly ServerAnswer[];
  readonly system: SystemView;
  /** The lines of the hosts file that name this host. */
  readonly hosts: readonly HostsEntry[];
  readonly proxy: ProxyApplicability;
  /** The `connect_to` rule that sends connections for this name elsewhere. */
  readonly connectTo?: ConnectToApplicability;
}

/**
 * What the system's own resolver (getaddrinfo) says; the hosts file is not part of it, for the name is looked up with a final dot.
 * `not-asked`: explicit name servers have taken its place.
 */
export type SystemView =
  | { readonly status: "answered"; readonly addresses: readonly string[] }
  | { readonly status: "not-found" }
  | { readonly status: "failed"; readonly detail: string }
  | { readonly status: "not-asked" };

/** Whether a proxy carries connections to a name. */
export type ProxyApplicability =
  | { readonly applies: false }
  | {
      readonly applies: true;
      /** Without credentials. */
      readonly proxy: string;
      /** Where the setting comes from, such as `HTTPS_PROXY`. */
      readonly source: string;
      /** Whether the proxy looks the name up itself (CONNECT, socks5h): what is seen here then says nothing about the path. */
      readonly resolvesNames: boolean;
    };

/** A `connect_to` rule that applies to a name. */
export interface ConnectToApplicability {
  /** As written in the configuration. */
  readonly rule: string;
  /** The host or address that is dialled instead. */
  readonly host: string;
}

/** The evidence about `host` (in normal form), or undefined when none was gathered. */
export function evidenceFor(evidence: EndpointEvidence, host: string): NameEvidence | undefined {
  return evidence.names.find((name) => normaliseHost(name.host) === host);
}
