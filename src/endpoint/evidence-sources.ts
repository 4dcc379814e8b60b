import { readFile } from "node:fs/promises";
import type { Clock } from "../clock.ts";
import type { Secret } from "../secret.ts";
import type { ConnectToRule } from "./connect-to.ts";
import type { ConnectionManner } from "./endpoint-finder.ts";
import type { EvidenceSources } from "./gather-evidence.ts";
import { type HostsEntry, parseHostsFile } from "./hosts-file.ts";
import type { NameServer } from "./name-server.ts";
import { connectToApplicability, proxyApplicability } from "./path-applicability.ts";
import { parseProxy } from "./proxy.ts";
import { systemNameServers } from "./resolv-conf.ts";
import { createSystemLookup } from "./system-lookup.ts";

/** What the configuration says about connections. */
export interface NetworkView {
  readonly connectTo: readonly ConnectToRule[];
  /** In place of the system's resolver; absent: the system's. */
  readonly nameServers?: readonly NameServer[];
  /** Absolute path. */
  readonly hostsFile: string;
  readonly proxy?: Secret;
  /** Where {@link proxy} stands: `configuration`, or the name of an environment variable. */
  readonly proxyFrom?: string;
  readonly noProxy?: readonly string[];
}

/**
 * The sources of evidence on this machine, read anew at each call: a laptop changes its name servers, and an owner his hosts
 * file. A file that cannot be read counts as empty.
 */
export async function evidenceSources(
  network: NetworkView,
  { port, proxy }: ConnectionManner,
  clock: Clock,
): Promise<EvidenceSources> {
  const server = proxy === "allowed" && network.proxy !== undefined ? parseProxy(network.proxy) : undefined;
  // Only who asks needs the codec: not a check of the configuration.
  const { createDnsQuery } = await import("./dns-query.ts");
  const choice = { server, noProxy: network.noProxy ?? [], source: network.proxyFrom ?? "configuration" };
  return {
    clock,
    query: createDnsQuery({ clock }),
    nameServers: network.nameServers ?? (await systemNameServers((path) => readFile(path, "utf8"))),
    systemLookup: network.nameServers === undefined ? createSystemLookup(clock) : undefined,
    hosts: await readHosts(network.hostsFile),
    proxyFor: (host) => proxyApplicability(choice, host, port),
    connectToFor: (host) => connectToApplicability(network.connectTo, host, port),
  };
}

/** The lines of a hosts file; none when it cannot be read. */
export async function readHosts(file: string): Promise<readonly HostsEntry[]> {
  try {
    return parseHostsFile(await readFile(file, "utf8"), file);
  } catch {
    return [];
  }
}
