import { join } from "node:path";
import type { Clock } from "../clock.ts";
import type { Settings } from "../config/settings.ts";
import { configuredLookup } from "../endpoint/configured-lookup.ts";
import type { Dialer } from "../endpoint/dialer.ts";
import { EndpointFinder } from "../endpoint/endpoint-finder.ts";
import { evidenceSources } from "../endpoint/evidence-sources.ts";
import { memoryFile, NetworkMemoryStore } from "../endpoint/network-memory-store.ts";
import { parseProxy } from "../endpoint/proxy.ts";
import { TlsDialer } from "../endpoint/tls-dialer.ts";
import { readTrustBundle } from "../endpoint/trust.ts";
import type { Logger } from "../log.ts";
import { StateFile } from "../state-file.ts";
import { DecidedWays } from "./decided-ways.ts";
import type { RouteFinder } from "./route-finder.ts";

/** What the network parts need beside the settings. */
interface Tools {
  readonly clock: Clock;
  readonly log: Logger;
}

/** The ways that the endpoint decision finds, with the memory in the state directory. */
export function decidedWays({ provisioning, network, hub, state }: Settings, { clock, log }: Tools): RouteFinder {
  const finder = new EndpointFinder({
    settings: provisioning.endpoint,
    sources: (manner) => evidenceSources(network, manner, clock),
    memory: new NetworkMemoryStore(new StateFile(join(state.directory, memoryFile))),
    clock,
  });
  // A hub given by hand is reached by the hub's transport alone.
  const dps = provisioning.source === "dps" ? provisioning.transport : hub.transport;
  return new DecidedWays({ finder, transports: { dps, hub: hub.transport }, log: log.child("endpoint") });
}

/** The dialer that the settings ask for. Logs whatever leads connections elsewhere, or trusts more than the system does. */
export async function createDialer(settings: Settings, { clock, log }: Tools): Promise<Dialer> {
  const { trustBundle, connectTo, proxy, proxyFrom, noProxy } = settings.network;
  if (trustBundle !== undefined) log.info("trusting further CAs beside the system's", { trustBundle });
  if (proxy !== undefined && mayUseProxy(settings)) {
    log.info("connections on port 443 go through a proxy", { proxy: parseProxy(proxy).name, from: proxyFrom });
  }
  const lookup = await configuredLookup(settings.network, clock);
  return new TlsDialer({
    clock,
    log: log.child("endpoint"),
    trustBundle: trustBundle === undefined ? undefined : await readTrustBundle(trustBundle),
    connectTo,
    proxy,
    noProxy,
    ...(lookup === undefined ? {} : { lookup }),
  });
}

/** MQTT on its own port goes directly; everything on port 443 can go through a proxy. */
function mayUseProxy({ provisioning, hub }: Settings): boolean {
  return hub.transport !== "mqtt" || (provisioning.source === "dps" && provisioning.transport !== "mqtt");
}
