import { services } from "../service.ts";
import { byFinding, byService, type DiagnosisRule, explained, once, sentence } from "./rule.ts";

/** Faults of names: what DNS, the hosts file and a proxy make of them. */
export const nameRules: readonly DiagnosisRule[] = [
  byFinding({
    id: "name-servers-silent",
    confidence: "certain",
    about: "No configured name server gives a usable answer.",
    findings: ["dns.servers/none", "dns.servers/all-silent"],
  }),
  once({
    id: "hub-in-another-cloud",
    confidence: "certain",
    about: "The assigned hub is in another cloud than the DPS; private endpoints do not work across clouds.",
    match(symptoms) {
      const found = symptoms.finding("endpoint.hub", "refused");
      if (found === undefined || symptoms.service("hub").reason !== "cross-cloud") return undefined;
      const remedy = "Ask the owner of the DPS to link a hub of the same cloud, and run `landfall provision`.";
      return { text: sentence(found.text), evidence: ["endpoint.hub"], fixes: [remedy] };
    },
  }),
  once({
    id: "hub-name-unusable",
    confidence: "certain",
    about: "What is assigned is no IoT hub's name.",
    match(symptoms) {
      const found = symptoms.finding("endpoint.hub", "refused");
      const reason = symptoms.service("hub").reason ?? "";
      if (found === undefined || !["hub-name-invalid", "hub-outside-azure"].includes(reason)) return undefined;
      return { text: sentence(found.text), evidence: ["endpoint.hub"], fixes: [found.remedy] };
    },
  }),
  once({
    id: "private-path-lost",
    confidence: "likely",
    about: "A service was reached over a private path before, and only public addresses are seen now.",
    match(symptoms) {
      const found = symptoms.finding("state.memory", "downgrade");
      if (found === undefined) return undefined;
      const lost = symptoms.services.filter(({ reason }) => reason === "private-downgrade");
      return {
        text: explained(found, "likely"),
        evidence: ["state.memory", ...lost.map(({ service }) => `endpoint.${service}`)],
        fixes: [
          "If this device should still be in its private network: bring the VPN up, and ask the owner of the virtual network about the zone link and the forwarder.",
          "If it left that network for good, run `landfall endpoint --forget`.",
        ],
      };
    },
  }),
  once({
    id: "events-record-missing",
    confidence: "certain",
    about:
      "The hub is private here, and its built-in Event Hubs-compatible endpoint has no record: readers fail, devices do not.",
    match(symptoms) {
      const found = symptoms.finding("dns.event-hubs", "record-missing");
      if (found === undefined || symptoms.service("hub").path !== "private") return undefined;
      return {
        text: sentence(
          `${found.text}, although the hub itself is private here; readers of its events fail, devices do not`,
        ),
        evidence: ["dns.event-hubs", "endpoint.event-hubs"],
        fixes: [
          found.remedy,
          "A hub's private endpoint has two records: one for the hub, one for its Event Hubs-compatible endpoint.",
        ],
      };
    },
  }),
  ...(
    [
      [
        "private-record-missing",
        "record-missing",
        "certain",
        "A private DNS zone is in use here, and lacks the record.",
      ],
      [
        "private-zone-shadows-name",
        "zone-shadows",
        "certain",
        "A private DNS zone for the public suffix hides the name.",
      ],
      [
        "private-answer-stripped",
        "address-stripped",
        "likely",
        "Rebind protection or a filter takes private addresses out of answers.",
      ],
      ["dns-answer-cut", "answer-cut", "certain", "DNS answers are truncated, and TCP port 53 is closed."],
      ["name-not-found", "name-not-found", "likely", "The name is wrong, or the resource is gone."],
      ["sinkhole", "implausible", "likely", "A sinkhole, captive portal or filter answers in Azure's place."],
      ["overlay-network", "overlay", "likely", "A proxy with fake addresses, or an overlay network, decides the path."],
      ["ipv6-only", "ipv6-only", "likely", "Only IPv6 addresses are given, which the services do not have."],
      ["name-server-silent", "no-answer", "certain", "A name server that is configured does not answer."],
      ["name-not-found", "no-address", "likely", "The name is wrong, or the resource is gone."],
    ] as const
  ).map(([id, code, confidence, about]) =>
    byService({
      id,
      confidence,
      about,
      match({ service, path }, symptoms) {
        const found = symptoms.finding(`dns.${service}`, code);
        // Beside another server's address it is a warning, and comes with the other warnings.
        if (found === undefined || (found.status === "warning" && path !== "none")) return undefined;
        return {
          text: explained(found, confidence),
          evidence: [`dns.${service}`, `endpoint.${service}`],
          fixes: [found.remedy],
        };
      },
    }),
  ),
  byFinding({
    id: "proxy-refuses",
    confidence: "certain",
    about: "The proxy of the settings cannot be reached, or makes no connection.",
    findings: ["proxy.path/*", "tls.*/proxy"],
  }),
  byService({
    id: "proxy-hides-private-endpoint",
    confidence: "likely",
    about:
      "DNS here shows a private endpoint, and a proxy that looks names up itself carries the connection elsewhere.",
    match({ service }, symptoms) {
      const found = symptoms.finding("proxy.settings", "hides-private-endpoint");
      if (found === undefined || service !== "dps") return undefined;
      return { text: explained(found, "likely"), evidence: ["proxy.settings"], fixes: [found.remedy] };
    },
  }),
  byService({
    id: "private-endpoint-not-visible",
    confidence: "likely",
    about: "A private endpoint exists, this network leads to the public address, and a private path is demanded.",
    match({ service, reason }, symptoms) {
      const refused = symptoms.finding(`endpoint.${service}`, "refused");
      const found = symptoms.finding(`dns.${service}`, "private-endpoint-not-visible");
      if (refused === undefined || found === undefined || reason !== "private-endpoint-not-visible") return undefined;
      return {
        text: explained(found, "likely"),
        evidence: [`dns.${service}`, `endpoint.${service}`],
        fixes: [found.remedy],
      };
    },
  }),
  byService({
    id: "no-private-endpoint",
    confidence: "likely",
    about: "A private path is demanded, and nothing shows that the service has a private endpoint.",
    match({ service, host, reason }, symptoms) {
      const found = symptoms.finding(`endpoint.${service}`, "refused");
      if (found === undefined || reason !== "strict-no-private-address") return undefined;
      const { title, subResource } = services[service];
      return {
        text: sentence(found.text),
        evidence: [`endpoint.${service}`],
        fixes: [
          `Ask the owner of ${title} for a private endpoint of ${host} (sub-resource ${subResource}), with its zone linked to this network.`,
          "Or relax `network` or `data_residency`, if a public path will do.",
        ],
      };
    },
  }),
  byService({
    id: "way-refused",
    confidence: "certain",
    about:
      "The settings and the network together leave nothing that may be dialled, for the reason that the decision gives.",
    match({ service }, symptoms) {
      const found = symptoms.finding(`endpoint.${service}`, "refused");
      if (found === undefined) return undefined;
      return { text: sentence(found.text), evidence: [`endpoint.${service}`], fixes: [found.remedy] };
    },
  }),
];
