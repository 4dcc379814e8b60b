import { services } from "../service.ts";
import { byService, type DiagnosisRule, once, sentence } from "./rule.ts";
import {
  allClosed,
  byTcp,
  byTls,
  endpointQuestions,
  isSilent,
  needed,
  neededTls,
  openPorts,
  othersAreTrusted,
  otherTransport,
  overridden,
  tcpChecks,
} from "./way.ts";

/** What TCP shows of the way to a service. */
export const tcpRules: readonly DiagnosisRule[] = [
  byService({
    id: "no-route",
    confidence: "certain",
    about: "This machine has no route to the service's address.",
    match: (service) =>
      needed(service) === "no-route"
        ? byTcp(service, `this machine has no route to ${service.host}`, [
            "Bring the VPN or the network interface up; `ip route` shows what is there.",
          ])
        : undefined,
  }),
  byService({
    id: "captive-portal",
    confidence: "likely",
    about:
      "Names of several services lead to one private address without a privatelink zone, where no service answers.",
    match(service, symptoms) {
      const address = overridden(service, symptoms);
      const sharers = symptoms.services.filter((each) => overridden(each, symptoms) === address);
      if (address === undefined || sharers.length < 2 || neededTls(service) === "ok") return undefined;
      return {
        text: `${sharers.map(({ host }) => host).join(" and ")} all lead to ${address}, which is likely a captive portal or a filter.`,
        evidence: [...sharers.map((each) => `dns.${each.service}`), ...tcpChecks(service)],
        fixes: ["Sign in to the network's portal, or ask whoever runs its name servers to exempt Azure's names."],
      };
    },
  }),
  byService({
    id: "override-leads-nowhere",
    confidence: "likely",
    about: "A private address that comes from the hosts file, or from a zone of the owner's own, leads nowhere.",
    match(service, symptoms) {
      const override = symptoms.finding(`dns.${service.service}`, "no-privatelink");
      const fromHosts = service.reason === "hosts-override";
      if ((override === undefined && !fromHosts) || !allClosed(service)) return undefined;
      const line = symptoms.result("dns.hosts-file")?.findings[0];
      return {
        text: sentence(`${(fromHosts ? line?.text : override?.text) ?? service.host}, and nothing answers there`),
        evidence: [fromHosts ? "dns.hosts-file" : `dns.${service.service}`, ...tcpChecks(service)],
        fixes: [
          "Compare the address with that of the private endpoint: overrides are not updated when it moves. A linked private DNS zone is.",
        ],
      };
    },
  }),
  once({
    id: "port-blocked",
    confidence: "likely",
    about: "One port is closed at every service that has it, while other ports are open.",
    match: ({ services: all }) => {
      for (const port of [8883, 443, 5671]) {
        const having = all.filter(({ tcp }) => tcp.has(port));
        const isClosed = having.length > 1 && having.every(({ tcp }) => tcp.get(port) !== "open");
        if (!isClosed || !all.some((each) => openPorts(each).length > 0)) continue;
        const needing = having.find(({ neededPort }) => neededPort === port) ?? having[0];
        const around = needing === undefined ? [] : otherTransport(needing, port, openPorts(needing));
        return {
          text: `Port ${port} is closed at every service that has it, and other ports are open: likely a security group or firewall blocks it.`,
          evidence: having.map(({ service }) => `tcp.${service}.${port}`),
          fixes: [
            `Ask whoever runs the network to open TCP port ${port} to ${having.map(({ host }) => host).join(", ")}.`,
            ...around,
          ],
        };
      }
      return undefined;
    },
  }),
  byService({
    id: "port-blocked",
    confidence: "likely",
    about: "The port that is needed is closed, while another port of the same service is open.",
    match(service) {
      const outcome = needed(service);
      const open = openPorts(service);
      if (outcome === undefined || outcome === "open" || open.length === 0) return undefined;
      const port = service.neededPort ?? 0;
      return byTcp(
        service,
        `port ${port} of ${service.host} is likely blocked by a security group or firewall (${outcome}); port ${open.join(" and ")} is open`,
        [
          `Ask whoever runs the network to open TCP port ${port} to ${service.host}.`,
          ...otherTransport(service, port, open),
        ],
      );
    },
  }),
  byService({
    id: "stale-record",
    confidence: "likely",
    about:
      "The private address belongs to another machine, or to nobody: it refuses, is unreachable, or shows another certificate, while other private services are reached.",
    match(service, symptoms) {
      const { path, service: name, host } = service;
      const outcome = needed(service);
      const isRefused = outcome === "refused" && symptoms.reachesAnotherPrivately(name);
      const isStranger =
        neededTls(service) === "wrong-name" ||
        (neededTls(service) === "untrusted" && othersAreTrusted(service, symptoms));
      if (path !== "private" || !(isRefused || isStranger || outcome === "host-unreachable")) return undefined;
      const { record, filter } = endpointQuestions(name, host);
      const how = isStranger ? "shows the certificate of another machine" : `is turned away (${outcome})`;
      const text = `the private address of ${host} ${how}: the record is likely stale`;
      return (isStranger ? byTls : byTcp)(service, text, [record, filter]);
    },
  }),
  byService({
    id: "private-endpoint-silent",
    confidence: "likely",
    about:
      "Nothing answers at the private endpoint, while others in the same network do: not Approved, or a stale record, or a rule against this address.",
    match(service, symptoms) {
      const { path, service: name, host } = service;
      if (path !== "private" || !isSilent(service) || !symptoms.reachesAnotherPrivately(name)) return undefined;
      const { approval, record, filter } = endpointQuestions(name, host);
      const text = `nothing answers at the private endpoint of ${host}, while other private endpoints do: likely its connection is not Approved, or its record is stale`;
      return byTcp(service, text, [approval, record, filter]);
    },
  }),
  byService({
    id: "private-network-unreachable",
    confidence: "likely",
    about: "Nothing answers at any private endpoint: the private line is down, or a rule drops everything.",
    match(service, symptoms) {
      if (service.path !== "private" || !isSilent(service) || !symptoms.otherPrivateSilent(service.service))
        return undefined;
      const text =
        "names resolve to private endpoints, and nothing answers at any of them: likely the VPN or ExpressRoute line is down, or a firewall drops everything";
      return byTcp(service, text, [
        "Look at the VPN or ExpressRoute line of this site, and at `ip route`.",
        `Ask whoever runs the network for security group and firewall rules towards the private endpoints: ${services[service.service].ports.join(", ")} TCP.`,
      ]);
    },
  }),
  byService({
    id: "private-endpoint-silent",
    confidence: "possible",
    about: "Nothing answers at the only private endpoint that is known.",
    match(service) {
      if (service.path !== "private" || !isSilent(service)) return undefined;
      const { approval, record, filter } = endpointQuestions(service.service, service.host);
      const text = `nothing answers at the private endpoint of ${service.host}: its connection may not be Approved, its record may be stale, a line may be down, or a rule may drop the packets`;
      return byTcp(service, text, [approval, "Look at the VPN or ExpressRoute line of this site.", record, filter]);
    },
  }),
  byService({
    id: "firewall-rejects",
    confidence: "likely",
    about: "Connections are turned away, at every service that is tried.",
    match(service) {
      const outcome = needed(service);
      if (outcome !== "refused" && outcome !== "host-unreachable") return undefined;
      const text = `connections to ${service.host} are turned away (${outcome}): likely by a firewall`;
      return byTcp(service, text, [
        `Ask whoever runs the network for a firewall rule towards ${service.host}: ${services[service.service].ports.join(", ")} TCP.`,
      ]);
    },
  }),
  byService({
    id: "outbound-blocked",
    confidence: "likely",
    about: "Nothing answers at the public address: the way to the internet is closed.",
    match(service) {
      if (!isSilent(service)) return undefined;
      const text = `nothing answers at ${service.host}: likely a firewall drops what leaves for the internet, or there is no way out`;
      return byTcp(service, text, [
        "Ask whoever runs the network whether devices may reach the internet, and by which ports or proxy.",
        "If the service has a private endpoint, ask for DNS that leads to it.",
      ]);
    },
  }),
  byService({
    id: "connection-broken",
    confidence: "possible",
    about: "TCP to the port that is needed fails in an unusual way.",
    match(service) {
      const outcome = needed(service);
      if (outcome === undefined || outcome === "open") return undefined;
      return byTcp(service, `no connection to ${service.host} can be made (${outcome})`, [
        "Ask whoever runs the network, with the system's error at hand.",
      ]);
    },
  }),
];
