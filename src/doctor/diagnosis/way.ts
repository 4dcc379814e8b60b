import { type ServiceName, services } from "../service.ts";
import { type Match, sentence } from "./rule.ts";
import type { ServiceSymptoms, Symptoms } from "./symptoms.ts";

/** How TCP to the port that is needed turned out; undefined when it was not tried. */
export function needed({ tcp, neededPort }: ServiceSymptoms): string | undefined {
  return neededPort === undefined ? undefined : tcp.get(neededPort);
}

/** How TLS on the port that is needed turned out; undefined when it was not tried. */
export function neededTls({ tls, neededPort }: ServiceSymptoms): string | undefined {
  return neededPort === undefined ? undefined : tls.get(neededPort);
}

/** The ports of a service that TCP was opened to. */
export function openPorts({ tcp }: ServiceSymptoms): number[] {
  return [...tcp].filter(([, outcome]) => outcome === "open").map(([port]) => port);
}

/** Whether TCP was tried, and opened nowhere. */
export function allClosed(service: ServiceSymptoms): boolean {
  return service.tcp.size > 0 && openPorts(service).length === 0;
}

/** Whether nothing answers at any port. */
export function isSilent(service: ServiceSymptoms): boolean {
  return needed(service) === "no-answer" && allClosed(service);
}

/** Whether TLS with any other service comes about. */
export function othersAreTrusted({ service }: ServiceSymptoms, { services: all }: Symptoms): boolean {
  return all.some((each) => each.service !== service && [...each.tls.values()].includes("ok"));
}

/** The private address of a service that no privatelink zone gives. */
export function overridden({ service }: ServiceSymptoms, symptoms: Symptoms): string | undefined {
  if (symptoms.finding(`dns.${service}`, "no-privatelink") === undefined) return undefined;
  const addresses = symptoms.fact(`dns.${service}`, "private");
  return Array.isArray(addresses) ? addresses.map(String)[0] : undefined;
}

/** Ids of the checks that tried TCP. */
export function tcpChecks({ service, tcp }: ServiceSymptoms): string[] {
  return [...tcp.keys()].map((port) => `tcp.${service}.${port}`);
}

/** A match that rests on TCP. */
export function byTcp(service: ServiceSymptoms, text: string, fixes: readonly string[]): Match {
  return { text: sentence(text), evidence: [`endpoint.${service.service}`, ...tcpChecks(service)], fixes };
}

/** A match that rests on TLS. */
export function byTls({ service, tls }: ServiceSymptoms, text: string, fixes: readonly string[]): Match {
  return { text: sentence(text), evidence: [...tls.keys()].map((port) => `tls.${service}.${port}`), fixes };
}

/** What to ask about a private endpoint that does not do its work. */
export function endpointQuestions(service: ServiceName, host: string) {
  const { title, ports } = services[service];
  return {
    approval: `Ask the owner of ${title} whether the private endpoint connection of ${host} is Approved: a Pending, Rejected or Disconnected one carries nothing.`,
    record: `Ask the owner of the virtual network whether the record of ${host} holds the private endpoint's address of today; it changes when the endpoint is made anew.`,
    filter: `Ask whoever runs the network for security group and firewall rules towards the private endpoint: ${ports.join(", ")} TCP.`,
  };
}

/** The way around a closed port, for those services that a device speaks to. */
export function otherTransport({ service }: ServiceSymptoms, port: number, open: readonly number[]): string[] {
  if (service !== "dps" && service !== "hub") return [];
  const table = service === "dps" ? "provisioning" : "hub";
  if (port === 8883 && open.includes(443)) {
    return [`Or set transport = "mqtt-ws" in [${table}]: MQTT over WebSocket, on port 443.`];
  }
  return port === 443 && open.includes(8883) ? [`Or set transport = "mqtt" in [${table}]: MQTT on port 8883.`] : [];
}
