import { type ConnectToRule, redirect } from "../endpoint/connect-to.ts";
import type { DialTarget } from "../endpoint/dialer.ts";
import { evidenceFor } from "../endpoint/evidence.ts";
import type { Subject } from "./context.ts";

/** What TCP can be tried with, without anybody in between; or why nothing can, and whether a proxy carries it instead. */
export type Destinations =
  | { readonly addresses: readonly string[] }
  | { readonly none: string; readonly proxied: boolean };

/** The addresses that a connection to a service would be made to. */
export function destinationsOf(
  { decision, evidence }: Subject,
  rules: readonly ConnectToRule[],
  port: number,
): Destinations {
  const { host, addresses } = decision;
  if (host === undefined) return { none: "nothing may be dialled", proxied: false };
  // Only what is inside HTTPS or a WebSocket is ever handed to a proxy.
  const proxy = port === 443 && decision.proxy === "allowed" ? evidenceFor(evidence, host)?.proxy : undefined;
  if (proxy?.applies) return { none: `connections go through ${proxy.proxy}`, proxied: true };
  const redirection = redirect(rules, host, port);
  if (redirection !== undefined && redirection.host !== host) return { addresses: [redirection.host] };
  return addresses === undefined ? { none: `no address of ${host} is vetted`, proxied: false } : { addresses };
}

/** What the dialer is told to reach the service on a port, as the agent would; undefined when nothing may be dialled. */
export function dialTargetOf({ decision }: Subject, port: number): DialTarget | undefined {
  const { host, addresses, proxy } = decision;
  if (host === undefined) return undefined;
  return { host, port, proxy: port === 443 ? proxy : "never", ...(addresses === undefined ? {} : { addresses }) };
}
