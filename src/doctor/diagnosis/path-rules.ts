import { type ServiceName, services } from "../service.ts";
import { byFinding, byService, type DiagnosisRule, type Match, once, sentence } from "./rule.ts";
import type { ServiceSymptoms, Symptoms } from "./symptoms.ts";

/** How TCP to the port that is needed turned out; undefined when it was not tried. */
const needed = ({ tcp, neededPort }: ServiceSymptoms): string | undefined =>
  neededPort === undefined ? undefined : tcp.get(neededPort);

/** How TLS on the port that is needed turned out. */
const neededTls = ({ tls, neededPort }: ServiceSymptoms): string | undefined =>
  neededPort === undefined ? undefined : tls.get(neededPort);

const openPorts = ({ tcp }: ServiceSymptoms): number[] =>
  [...tcp].filter(([, outcome]) => outcome === "open").map(([port]) => port);

const allClosed = (service: ServiceSymptoms): boolean => service.tcp.size > 0 && openPorts(service).length === 0;

const tcpIds = ({ service, tcp }: ServiceSymptoms): string[] => [...tcp.keys()].map((port) => `tcp.${service}.${port}`);

/** What to ask about a private endpoint that does not do its work. */
const endpointFixes = (service: ServiceName, host: string) => ({
  approval: `Ask the owner of ${services[service].title} whether the private endpoint connection of ${host} is Approved: a Pending, Rejected or Disconnected one carries nothing.`,
  record: `Ask the owner of the virtual network whether the record of ${host} holds the private endpoint's address of today; it changes when the endpoint is made anew.`,
  filter: `Ask whoever runs the network for security group and firewall rules towards the private endpoint: ${services[service].ports.join(", ")} TCP.`,
});

/** What TCP and TLS show of the way to a service. */
export const pathRules: readonly DiagnosisRule[] = [
  byService({
    id: "no-route",
    confidence: "certain",
    about: "This machine has no route to the service's address.",
    match: (service, symptoms) =>
      needed(service) === "no-route"
        ? told(service, symptoms, `this machine has no route to ${service.host}`, [
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
      const address = firstPrivate(service, symptoms);
      const sharers = symptoms.services.filter((each) => firstPrivate(each, symptoms) === address);
      if (address === undefined || sharers.length < 2 || neededTls(service) === "ok") return undefined;
      return {
        text: `${sharers.map(({ host }) => host).join(" and ")} all lead to ${address}, which is likely a captive portal or a filter.`,
        evidence: [...sharers.map((each) => `dns.${each.service}`), ...tcpIds(service)],
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
        evidence: [fromHosts ? "dns.hosts-file" : `dns.${service.service}`, ...tcpIds(service)],
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
          fixes: [`Ask whoever runs the network to open TCP port ${port} to ${hostsOf(having)}.`, ...around],
        };
      }
      return undefined;
    },
  }),
  byService({
    id: "port-blocked",
    confidence: "likely",
    about: "The port that is needed is closed, while another port of the same service is open.",
    match(service, symptoms) {
      const outcome = needed(service);
      const open = openPorts(service);
      if (outcome === undefined || outcome === "open" || open.length === 0) return undefined;
      const port = service.neededPort ?? 0;
      return told(
        service,
        symptoms,
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
      const { record, filter } = endpointFixes(name, host);
      const how = isStranger ? "shows the certificate of another machine" : `is turned away (${outcome})`;
      const text = `the private address of ${host} ${how}: the record is likely stale`;
      return (isStranger ? toldOfTls : told)(service, symptoms, text, [record, filter]);
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
      const { approval, record, filter } = endpointFixes(name, host);
      const text = `nothing answers at the private endpoint of ${host}, while other private endpoints do: likely its connection is not Approved, or its record is stale`;
      return told(service, symptoms, text, [approval, record, filter]);
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
      return told(service, symptoms, text, [
        "Look at the VPN or ExpressRoute line of this site, and at `ip route`.",
        `Ask whoever runs the network for security group and firewall rules towards the private endpoints: ${services[service.service].ports.join(", ")} TCP.`,
      ]);
    },
  }),
  byService({
    id: "private-endpoint-silent",
    confidence: "possible",
    about: "Nothing answers at the only private endpoint that is known.",
    match(service, symptoms) {
      if (service.path !== "private" || !isSilent(service)) return undefined;
      const { approval, record, filter } = endpointFixes(service.service, service.host);
      const text = `nothing answers at the private endpoint of ${service.host}: its connection may not be Approved, its record may be stale, a line may be down, or a rule may drop the packets`;
      return told(service, symptoms, text, [
        approval,
        "Look at the VPN or ExpressRoute line of this site.",
        record,
        filter,
      ]);
    },
  }),
  byService({
    id: "firewall-rejects",
    confidence: "likely",
    about: "Connections are turned away, at every service that is tried.",
    match(service, symptoms) {
      const outcome = needed(service);
      if (outcome !== "refused" && outcome !== "host-unreachable") return undefined;
      const text = `connections to ${service.host} are turned away (${outcome}): likely by a firewall`;
      return told(service, symptoms, text, [
        `Ask whoever runs the network for a firewall rule towards ${service.host}: ${services[service.service].ports.join(", ")} TCP.`,
      ]);
    },
  }),
  byService({
    id: "outbound-blocked",
    confidence: "likely",
    about: "Nothing answers at the public address: the way to the internet is closed.",
    match(service, symptoms) {
      if (!isSilent(service)) return undefined;
      const text = `nothing answers at ${service.host}: likely a firewall drops what leaves for the internet, or there is no way out`;
      return told(service, symptoms, text, [
        "Ask whoever runs the network whether devices may reach the internet, and by which ports or proxy.",
        "If the service has a private endpoint, ask for DNS that leads to it.",
      ]);
    },
  }),
  byService({
    id: "connection-broken",
    confidence: "possible",
    about: "TCP to the port that is needed fails in an unusual way.",
    match(service, symptoms) {
      const outcome = needed(service);
      if (outcome === undefined || outcome === "open") return undefined;
      return told(service, symptoms, `no connection to ${service.host} can be made (${outcome})`, [
        "Ask whoever runs the network, with the system's error at hand.",
      ]);
    },
  }),
  byService({
    id: "middlebox-cuts-tls",
    confidence: "likely",
    about: "TCP opens, and TLS is reset, closed or starved: something on the way looks into it.",
    match(service, symptoms) {
      const failure = neededTls(service);
      if (failure !== "cut" && failure !== "silent") return undefined;
      const port = service.neededPort ?? 0;
      const trusted = [...service.tls].filter(([, outcome]) => outcome === "ok").map(([each]) => each);
      const how = failure === "cut" ? "cut while TLS begins" : "left without an answer once TLS begins";
      return toldOfTls(
        service,
        symptoms,
        `the connection to ${service.host}:${port} is ${how}: likely by a firewall or proxy that inspects TLS`,
        [
          `Ask whoever runs the network to let TLS to ${service.host} on port ${port} pass without inspection.`,
          ...otherTransport(service, port, trusted),
        ],
      );
    },
  }),
  byService({
    id: "tls-inspection",
    confidence: "likely",
    about: "The certificate is signed by nobody who is trusted: something on the way speaks in the service's place.",
    match(service, symptoms) {
      const failure = neededTls(service);
      if (failure !== "untrusted" && failure !== "wrong-name" && failure !== "not-valid-now") return undefined;
      return toldOfTls(
        service,
        symptoms,
        `what answers for ${service.host} shows a certificate that is not the service's: likely TLS is inspected on the way`,
        [
          "Ask whoever runs the network to exempt Azure's names from TLS inspection: a client certificate cannot pass it.",
          "If inspection is meant and this device has a symmetric key, put the inspector's CA into [network] trust_bundle.",
        ],
      );
    },
  }),
  byFinding({
    id: "connection-diverted",
    confidence: "certain",
    about: "Connections lead to other addresses than those that were dialled.",
    findings: ["tls.*/unvetted"],
  }),
  byService({
    id: "tls-broken",
    confidence: "possible",
    about: "TLS with the service fails in an unusual way.",
    match(service, symptoms) {
      const failure = neededTls(service);
      if (failure === undefined || failure === "ok") return undefined;
      const found = symptoms.result(`tls.${service.service}.${service.neededPort}`)?.findings[0];
      return toldOfTls(
        service,
        symptoms,
        found?.text ?? `no TLS with ${service.host}`,
        found === undefined ? [] : [found.remedy],
      );
    },
  }),
];

const hostsOf = (all: readonly ServiceSymptoms[]): string => all.map(({ host }) => host).join(", ");

const isSilent = (service: ServiceSymptoms): boolean => needed(service) === "no-answer" && allClosed(service);

function told(service: ServiceSymptoms, symptoms: Symptoms, text: string, fixes: readonly string[]): Match {
  const tried = tcpIds(service).filter((id) => symptoms.result(id) !== undefined);
  return { text: sentence(text), evidence: [`endpoint.${service.service}`, ...tried], fixes };
}

function toldOfTls(service: ServiceSymptoms, symptoms: Symptoms, text: string, fixes: readonly string[]): Match {
  const ids = [...service.tls.keys()].map((port) => `tls.${service.service}.${port}`);
  return { text: sentence(text), evidence: ids.filter((id) => symptoms.result(id) !== undefined), fixes };
}

/** The way around a closed port, for those services that a device speaks to. */
function otherTransport({ service }: ServiceSymptoms, port: number, open: readonly number[]): string[] {
  if (service !== "dps" && service !== "hub") return [];
  const table = service === "dps" ? "provisioning" : "hub";
  if (port === 8883 && open.includes(443)) {
    return [`Or set transport = "mqtt-ws" in [${table}]: MQTT over WebSocket, on port 443.`];
  }
  return port === 443 && open.includes(8883) ? [`Or set transport = "mqtt" in [${table}]: MQTT on port 8883.`] : [];
}

function othersAreTrusted({ service }: ServiceSymptoms, { services: all }: Symptoms): boolean {
  return all.some((each) => each.service !== service && [...each.tls.values()].includes("ok"));
}

/** The private address of a service that no privatelink zone gives. */
function firstPrivate({ service }: ServiceSymptoms, symptoms: Symptoms): string | undefined {
  if (symptoms.finding(`dns.${service}`, "no-privatelink") === undefined) return undefined;
  const addresses = symptoms.fact(`dns.${service}`, "private");
  return Array.isArray(addresses) ? addresses.map(String)[0] : undefined;
}
