import { join } from "node:path";
import type { Clock } from "../clock.ts";
import type { LoadedFile } from "../config/load.ts";
import type { NetworkSettings } from "../config/settings.ts";
import { configuredLookup } from "../endpoint/configured-lookup.ts";
import { redirect } from "../endpoint/connect-to.ts";
import type { Dialer } from "../endpoint/dialer.ts";
import { readHosts } from "../endpoint/evidence-sources.ts";
import { memoryFile, NetworkMemoryStore } from "../endpoint/network-memory-store.ts";
import { openTcp } from "../endpoint/sockets.ts";
import { TlsDialer } from "../endpoint/tls-dialer.ts";
import { readTrustBundle } from "../endpoint/trust.ts";
import { StateFile } from "../state-file.ts";
import { MqttHubTransport } from "../transport/mqtt/mqtt-hub-transport.ts";
import type { DoctorContext, Reach } from "./context.ts";
import { Facts } from "./facts.ts";
import { connectTimeoutMs, requestTimeoutMs } from "./limits.ts";

/** What a context is opened with. */
export interface OpenOptions {
  readonly clock: Clock;
  /** Default false. */
  readonly mayConnectToHub?: boolean;
  /** Ends the look-ups that are under way. */
  readonly signal: AbortSignal;
}

/** A context that has to be closed. */
export interface OpenedContext extends DoctorContext, AsyncDisposable {}

/**
 * Everything for an examination of this machine with these settings. Reads state files; nothing is contacted before a check
 * asks for it. Rejects with `config.*` or `certificate.unusable` for a trust bundle that cannot be read.
 */
export async function openContext(
  { settings, file, warnings }: LoadedFile,
  { clock, mayConnectToHub = false, signal }: OpenOptions,
): Promise<OpenedContext> {
  const { network, state, provisioning } = settings;
  const dialer = await createDialer(network, clock);
  const memory = await new NetworkMemoryStore(new StateFile(join(state.directory, memoryFile))).load();
  const facts = new Facts(settings, { clock, dialer, signal });
  return {
    clock,
    file,
    warnings,
    settings,
    endpoint: provisioning.endpoint,
    hosts: await readHosts(network.hostsFile),
    memory,
    dialer,
    hubTransport: new MqttHubTransport({
      dialer,
      clock,
      carrier: settings.hub.transport === "mqtt" ? "tcp" : "websocket",
      requestTimeoutMs,
    }),
    mayConnectToHub,
    reach: reachOver(network),
    subject: (service) => facts.subject(service),
    certificate: () => facts.certificate(),
    attestation: () => facts.attestation(),
    assignment: () => facts.assignment(),
    lookUp: () => facts.lookUp(),
    hub: () => facts.hub(),
    [Symbol.asyncDispose]: () => facts.close(),
  };
}

async function createDialer(network: NetworkSettings, clock: Clock): Promise<Dialer> {
  const { trustBundle, connectTo, proxy, noProxy } = network;
  const lookup = await configuredLookup(network, clock);
  return new TlsDialer({
    clock,
    trustBundle: trustBundle === undefined ? undefined : await readTrustBundle(trustBundle),
    connectTo,
    proxy,
    noProxy,
    connectTimeoutMs,
    ...(lookup === undefined ? {} : { lookup }),
  });
}

/** A rule for the host stands before one for the address, as in the dialer. */
function reachOver({ connectTo }: NetworkSettings): Reach {
  return async ({ host, address, port }, { signal }) => {
    const carried = redirect(connectTo, host, port) ?? redirect(connectTo, address, port);
    const to = carried?.host === host ? address : (carried?.host ?? address);
    (await openTcp(to, carried?.port ?? port, signal)).destroy();
  };
}
