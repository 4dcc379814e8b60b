import { byFinding, type DiagnosisRule } from "./rule.ts";

/** What works today and should not stay as it is. */
export const warningRules: readonly DiagnosisRule[] = [
  byFinding({
    id: "hosts-file-overrides",
    confidence: "certain",
    about: "A line of the hosts file stands in the place of DNS.",
    findings: ["dns.hosts-file/*"],
  }),
  byFinding({
    id: "name-server-silent",
    confidence: "certain",
    about: "A name server that is configured does not answer.",
    findings: ["dns.servers/silent"],
  }),
  byFinding({
    id: "name-servers-disagree",
    confidence: "certain",
    about: "The name servers disagree whether the service is private.",
    findings: ["dns.*/servers-disagree", "endpoint.*/mixed-answers"],
  }),
  byFinding({
    id: "global-despite-private",
    confidence: "certain",
    about: "The settings name the global endpoint although a private endpoint is known.",
    findings: ["endpoint.dps/global-despite-private"],
  }),
  byFinding({
    id: "private-endpoint-not-visible",
    confidence: "likely",
    about: "A private endpoint exists, and this network leads to the public address.",
    findings: ["dns.*/private-endpoint-not-visible"],
  }),
  byFinding({
    id: "public-range",
    confidence: "possible",
    about:
      "The privatelink name has a public address: a virtual network with a public range, or a public chain that ends there.",
    findings: ["dns.*/public-range"],
  }),
  byFinding({
    id: "service-not-private",
    confidence: "likely",
    about: "DPS is private here and the hub is not.",
    findings: ["endpoint.hub/hub-not-private"],
  }),
  byFinding({
    id: "private-record-missing",
    confidence: "certain",
    about: "A name server uses a private DNS zone that lacks the record; another one knows an address.",
    findings: ["dns.*/record-missing"],
  }),
  byFinding({
    id: "private-zone-shadows-name",
    confidence: "certain",
    about: "A name server uses a private DNS zone in the place of the public suffix.",
    findings: ["dns.*/zone-shadows"],
  }),
  byFinding({
    id: "private-answer-stripped",
    confidence: "likely",
    about: "A name server takes private addresses out of its answers.",
    findings: ["dns.*/address-stripped"],
  }),
  byFinding({
    id: "dns-answer-cut",
    confidence: "certain",
    about: "Answers of a name server are truncated, and TCP port 53 is closed.",
    findings: ["dns.*/answer-cut"],
  }),
  byFinding({
    id: "name-server-silent",
    confidence: "certain",
    about: "A name server that is configured does not answer for a name.",
    findings: ["dns.*/no-answer", "endpoint.*/last-good-address"],
  }),
  byFinding({
    id: "public-suffix-overridden",
    confidence: "likely",
    about: "The private address does not come from a privatelink zone.",
    findings: ["dns.*/no-privatelink"],
  }),
  byFinding({
    id: "unusual-addresses",
    confidence: "likely",
    about: "The name has addresses of a kind that the service does not have.",
    findings: ["dns.*/overlay", "dns.*/ipv6-only", "dns.*/ipv6", "endpoint.dps/global-not-public"],
  }),
  byFinding({
    id: "private-path-lost",
    confidence: "likely",
    about: "A service was reached over a private path before, and is not now.",
    findings: ["state.memory/downgrade"],
  }),
  byFinding({
    id: "public-path",
    confidence: "possible",
    about: "A public path is used although something private is known or cannot be ruled out.",
    findings: ["endpoint.*/public-path"],
  }),
  byFinding({
    id: "updates-need-public-hub",
    confidence: "likely",
    about: "Device Update is used with a hub that is private, and needs its public network access.",
    findings: ["device-update.linked-hub/hub-private"],
  }),
  byFinding({
    id: "port-blocked",
    confidence: "likely",
    about: "A port is closed that is not needed now, but is the way around when the other one is.",
    findings: [
      "tcp.*/no-answer",
      "tcp.*/refused",
      "tcp.*/host-unreachable",
      "tcp.*/no-route",
      "tcp.*/broken",
      "tls.*/cut",
      "tls.*/silent",
    ],
  }),
  byFinding({
    id: "stale-record",
    confidence: "likely",
    about: "One of several addresses cannot be reached.",
    findings: ["tcp.*/some-addresses"],
  }),
  byFinding({
    id: "tls-inspection",
    confidence: "likely",
    about: "TLS is inspected on the way, with a CA that this machine trusts.",
    findings: ["tls.*/inspected", "tls.*/untrusted", "tls.*/wrong-name"],
  }),
  byFinding({
    id: "clock-off",
    confidence: "certain",
    about: "The clock of this machine is off by more than a minute.",
    findings: ["time.clock/off"],
  }),
  byFinding({
    id: "credential-expires",
    confidence: "certain",
    about: "A certificate of this device expires soon.",
    findings: ["credential.validity/expires"],
  }),
  byFinding({
    id: "credential-doubtful",
    confidence: "possible",
    about: "The certificates work here, and may not at the service.",
    findings: ["credential.chain/*", "credential.name/differs"],
  }),
  byFinding({
    id: "settings-doubtful",
    confidence: "possible",
    about: "The settings name what does not go together.",
    findings: ["config.cloud/*", "endpoint.*/dps-name-from-memory", "proxy.settings/bypassed", "config.valid/warned"],
  }),
  byFinding({
    id: "state-doubtful",
    confidence: "certain",
    about: "What the agent has stored is damaged, open to others, or for another device.",
    findings: ["state.*/*", "config.file-modes/*", "dps.authentication/moved"],
  }),
];
