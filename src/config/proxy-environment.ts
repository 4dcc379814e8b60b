import type { Secret } from "../secret.ts";
import type { Fault } from "./fault.ts";
import { parseProxyAddress } from "./proxy-address.ts";

/** What the environment says about proxies. */
export interface ProxyEnvironment {
  readonly proxy?: Secret;
  /** The variable that {@link proxy}, or {@link fault}, is about. */
  readonly proxyFrom?: string;
  readonly noProxy?: readonly string[];
  /** The variable holds something that is not the address of a proxy. */
  readonly fault?: Fault;
}

/** In the order in which they are asked; lower case first, as curl does. */
const proxyVariables = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const noProxyVariables = ["no_proxy", "NO_PROXY"];

/**
 * Reads the proxy for encrypted connections, and the hosts that go direct, from the usual variables.
 * An empty variable counts as not set, as with curl.
 */
export function proxyFromEnvironment(env: Readonly<Record<string, string | undefined>>): ProxyEnvironment {
  const isSet = (name: string): boolean => (env[name] ?? "").trim() !== "";
  const noProxyFrom = noProxyVariables.find(isSet);
  const exceptions = noProxyFrom === undefined ? {} : { noProxy: splitHosts(env[noProxyFrom] ?? "") };
  const proxyFrom = proxyVariables.find(isSet);
  if (proxyFrom === undefined) return exceptions;
  const result = parseProxyAddress(env[proxyFrom] ?? "");
  if ("value" in result) return { ...exceptions, proxy: result.value, proxyFrom };
  return { ...exceptions, proxyFrom, fault: { path: `environment variable ${proxyFrom}`, ...result.problem } };
}

function splitHosts(text: string): string[] {
  return text.split(/[\s,]+/).filter((host) => host !== "");
}
