import { type ConnectToRule, redirect } from "./connect-to.ts";
import type { ConnectToApplicability, ProxyApplicability } from "./evidence.ts";
import { goesDirect } from "./no-proxy.ts";
import { type ProxyServer, resolvesNames } from "./proxy.ts";

/** The proxy of the settings. */
export interface ProxyChoice {
  readonly server: ProxyServer | undefined;
  /** Hosts that go direct all the same, in the form of `NO_PROXY` entries. */
  readonly noProxy: readonly string[];
  /** Where the proxy comes from: `configuration`, or the name of an environment variable. */
  readonly source: string;
}

/** Whether the proxy carries connections to `host` and `port`; a transport that never uses one has no need to ask. */
export function proxyApplicability(
  { server, noProxy, source }: ProxyChoice,
  host: string,
  port: number,
): ProxyApplicability {
  if (server === undefined || goesDirect(noProxy, host, port)) return { applies: false };
  return { applies: true, proxy: server.name, source, resolvesNames: resolvesNames(server) };
}

/** The rule that sends connections for `host` and `port` to another host; a rule that changes the port alone is none. */
export function connectToApplicability(
  rules: readonly ConnectToRule[],
  host: string,
  port: number,
): ConnectToApplicability | undefined {
  const redirection = redirect(rules, host, port);
  if (redirection === undefined || redirection.host === host) return undefined;
  return { rule: redirection.rule.text, host: redirection.host };
}
