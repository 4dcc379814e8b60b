import { azureHost } from "../../endpoint/clouds.ts";
import { type Check, type CheckCall, defineCheck } from "../check.ts";
import { dialTargetOf } from "../destinations.ts";
import { type PeerIdentity, peerIdentity } from "../peer-certificate.ts";
import type { Finding } from "../result.ts";
import { portNeed, type ServiceName, services } from "../service.ts";
import { type TlsFailure, tlsFailureOf } from "../tls-failure.ts";

const failures = {
  untrusted: {
    status: "failed or warning",
    when: "Nobody who is trusted signed the certificate.",
    cause: "Likely TLS inspection on the way, or another server at this address.",
    remedy:
      "Ask whoever runs the network to exempt the host from inspection, which X.509 attestation cannot survive anyway; or put the inspector's CA into `trust_bundle`.",
  },
  "wrong-name": {
    status: "failed or warning",
    when: "The certificate is for another name.",
    cause: "The address belongs to another machine: a stale record, a wrong line in the hosts file, or a sinkhole.",
    remedy: "Ask the owner of the virtual network whether the record holds the private endpoint's address of today.",
  },
  "not-valid-now": {
    status: "failed or warning",
    when: "By this machine's clock the certificate is expired, or not valid yet.",
    cause: "Likely the clock of this machine is wrong.",
    remedy: "Set the clock, and let it follow a time server (NTP).",
  },
  cut: {
    status: "failed or warning",
    when: "The connection is reset or closed while TLS begins.",
    cause: "A firewall or proxy looks into TLS and cuts it, by name or by protocol.",
    remedy: "Ask whoever runs the network to allow TLS to this host name and port without inspection.",
  },
  silent: {
    status: "failed or warning",
    when: "TCP opens, and then nothing comes back.",
    cause:
      "A middlebox answers in the service's place, or drops what follows the first packet (also: an MTU that is too large for a VPN).",
    remedy: "Ask whoever runs the network about inspection of this port, and about the MTU of the VPN.",
  },
  proxy: {
    status: "failed or warning",
    when: "The proxy did not make the connection.",
    cause: "The proxy forbids the destination, wants credentials, or cannot reach it.",
    remedy: "Ask whoever runs the proxy; or exempt the host with no_proxy if it can be reached directly.",
  },
  unvetted: {
    status: "failed or warning",
    when: "The connection led to an address that was not vetted.",
    cause: "Something between this device and its network changes where connections lead.",
    remedy: "Ask whoever runs the network about address translation and transparent proxies.",
  },
  broken: {
    status: "failed or warning",
    when: "TLS fails in another way.",
    cause: "The error tells.",
    remedy: "Ask whoever runs the network, with the error at hand.",
  },
  inspected: {
    status: "warning",
    when: "The certificate is trusted, but nobody who signs for Azure's services signed it.",
    cause:
      "Likely TLS inspection with a CA that this machine trusts. It also sees what is sent, and breaks X.509 attestation.",
    remedy: "Ask whoever runs the network to exempt the host from inspection.",
  },
} as const satisfies Record<TlsFailure | "inspected", unknown>;

/** Whether TLS with a service comes about, verified for its public name. */
export function tls(service: ServiceName, port: number): Check {
  const { title } = services[service];
  return defineCheck({
    id: `tls.${service}.${port}`,
    group: "tls",
    title: `TLS with ${title} on port ${port}`,
    does: `Opens TLS on port ${port} as the agent would, verifies name, chain and time, and hangs up. Shows no client certificate.`,
    dependsOn: [`tcp.${service}.${port}`],
    deadlineMs: 30_000,
    failures,
    async run(context, { signal, found }) {
      const subject = await context.subject(service);
      const target = subject && dialTargetOf(subject, port);
      if (target === undefined) return { skipped: `no way to ${title} is known` };
      const status = portNeed(service, port, context.settings) === "needed" ? "failed" : "warning";
      try {
        const { socket, path } = await context.dialer.dial(target, { signal });
        const peer = peerIdentity(socket);
        socket.destroy();
        return {
          summary: `${peer.protocol}, ${peer.issuers[0]}`,
          findings: path.connectTo === undefined ? inspection(peer, target.host, found) : [],
          evidence: [
            `${path.remoteAddress}:${path.remotePort}${path.proxy === undefined ? "" : `, through ${path.proxy}`}`,
            `certificate of ${peer.subject}, until ${new Date(peer.validUntil).toISOString()}`,
            `issued by ${peer.issuers.join(" <- ")}`,
          ],
          data: { host: target.host, port, peer: { ...peer }, address: path.remoteAddress },
        };
      } catch (error) {
        signal.throwIfAborted();
        const { failure, text } = tlsFailureOf(error);
        return {
          summary: `no TLS (${failure})`,
          findings: [found(failure, { status, text })],
          data: { host: target.host, port, failure },
          stops: true,
        };
      }
    },
  });
}

/** Outside Azure anybody may sign; for a name of Azure few do. */
function inspection(
  { isAzures, issuers }: PeerIdentity,
  host: string,
  found: CheckCall<keyof typeof failures>["found"],
): Finding[] {
  if (isAzures || azureHost(host) === undefined) return [];
  return [found("inspected", { text: `the certificate of ${host} was issued by ${issuers.join(" <- ")}` })];
}
