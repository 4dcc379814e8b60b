/** What is fixed about a reason; places in braces are filled from the world at hand. */
export interface Reason {
  /** The row of the decision table; letters mark cases that the table lacked at first. */
  readonly row: string;
  readonly text: string;
  /** What to do, and whom to ask. Empty: nothing. */
  readonly advice: string;
  /** Whether the same settings may lead to an endpoint later. */
  readonly retryable: boolean;
}

/**
 * Why an endpoint was chosen, or none. Codes are a contract: they are printed as JSON and never change their meaning.
 * Sentences that rest on inference rather than on documentation say "likely".
 */
export const reasons = {
  // What the settings alone decide
  "explicit-global-forbidden-by-strict": {
    row: "1",
    text: "The settings name the global endpoint {global}, and also forbid it ({strictness}).",
    advice: "Remove one of the two settings. With a private endpoint, remove `endpoint` and set `dps_name`.",
    retryable: false,
  },
  "explicit-host-invalid": {
    row: "2a",
    text: '"{endpoint}" is an address, or no host name. The certificate of the service is for its name only.',
    advice: "Set `endpoint` to the service endpoint's name, such as <name>.azure-devices-provisioning.net.",
    retryable: false,
  },
  "explicit-host-privatelink": {
    row: "2b",
    text: '"{endpoint}" is a name inside a private DNS zone. The certificate of the service does not cover it.',
    advice:
      "Set `endpoint` to the same name without the label `privatelink`; DNS leads from there to the private endpoint.",
    retryable: false,
  },
  "dps-name-invalid": {
    row: "4b",
    text: '`dps_name` is "{dpsName}", which names no DPS instance.',
    advice: "Set `dps_name` to the name of the DPS resource; the Azure portal shows it in the service endpoint.",
    retryable: false,
  },
  "strict-needs-dps-name": {
    row: "4",
    text: "{strictness} rules out the global endpoint, and the service endpoint is not known without `dps_name`.",
    advice:
      "Set `dps_name`. It cannot be derived from the ID scope; the Azure portal shows it in the service endpoint.",
    retryable: false,
  },
  "service-needs-dps-name": {
    row: "4a",
    text: 'endpoint = "service" needs the name of the DPS instance.',
    advice: "Set `dps_name`; the Azure portal shows it in the service endpoint.",
    retryable: false,
  },
  "memory-unreadable": {
    row: "18a",
    text: "The network memory cannot be read. It is written only once a path was private, so this device likely had a private endpoint: the global endpoint is not used.",
    advice: "Set `dps_name`; or, if this device left its private network for good, run `landfall endpoint --forget`.",
    retryable: false,
  },
  "connect-to": {
    row: "0",
    text: 'The rule connect_to = "{rule}" sends connections for {host} to {redirect}; DNS has no say.',
    advice: "",
    retryable: false,
  },
  "connect-to-forbidden-by-strict": {
    row: "0a",
    text: 'The rule connect_to = "{rule}" sends connections for {host} to {redirect}, which is not known to be private, and {strictness} is set.',
    advice: "Remove the rule, or let it name a private address.",
    retryable: false,
  },
  // The global endpoint without a service name
  "explicit-global": {
    row: "2c",
    text: "The settings name the global endpoint {global}.",
    advice: "",
    retryable: false,
  },
  "no-dps-name": {
    row: "5",
    text: "Without `dps_name` only the global endpoint {global} is known.",
    advice: "If the DPS instance has a private endpoint, set `dps_name`.",
    retryable: false,
  },
  "global-unresolved": {
    row: "20b",
    text: "The global endpoint {global} is to be used, but no usable address was observed for it ({globalGaps}).",
    advice: "Check this machine's name servers and its way to the internet.",
    retryable: true,
  },
  // Private paths
  "private-endpoint": {
    row: "7",
    text: "A private endpoint is active here: {owner} has the private address {addresses}.",
    advice: "",
    retryable: false,
  },
  "hosts-override": {
    row: "9",
    text: "The hosts file ({hostsLines}) gives {host} the private address {addresses}.",
    advice: "The line is not updated when the private endpoint moves. A linked private DNS zone is.",
    retryable: false,
  },
  "private-dns-override": {
    row: "8",
    text: "{sources} gives {host} the private address {addresses}, without a privatelink zone behind it.",
    advice: "",
    retryable: false,
  },
  "local-address": {
    row: "8a",
    text: "{host} is no Azure name and leads to this machine or link ({addresses}).",
    advice: "",
    retryable: false,
  },
  "private-address-ipv6-only": {
    row: "8b",
    text: "The only private addresses of {host} are IPv6 ({addresses}), and DPS and IoT Hub have none: likely a DNS64 gateway or a wrong record.",
    advice: "Ask whoever runs the name servers for the IPv4 address of the private endpoint.",
    retryable: true,
  },
  "last-good-address": {
    row: "12",
    text: "DNS gives no complete answer ({gaps}); {host} was reached at the private address {addresses} {age} ago.",
    advice: "Repair the name servers: the remembered address is used for one day.",
    retryable: true,
  },
  // What stands in the way of a private path
  "private-downgrade": {
    row: "18",
    text: "{remembered} was reached over a private path from {since} until {until}; now only public addresses are seen.",
    advice: "Check the VPN, the zone link and the forwarder. If the change is meant, run `landfall endpoint --forget`.",
    retryable: true,
  },
  proxied: {
    row: "6",
    text: "Connections to {host} go through {proxy} ({proxySource}), which looks names up itself: nobody here can tell whether the path is private.",
    advice: "",
    retryable: false,
  },
  "private-zone-missing-record": {
    row: "10",
    text: "The private DNS zone {zone} is in use here, but has no record for {host}.",
    advice:
      "Ask the owner of the virtual network to create the A record `{record}` in the zone {zone}, or to attach the zone group to the private endpoint.",
    retryable: true,
  },
  "private-answer-stripped": {
    row: "10a",
    text: "{servers} answers for {host} without an address and without saying that there is none: likely protection against DNS rebinding, or a filter, that takes private addresses out.",
    advice: "Ask whoever runs {servers} to exempt {host} from rebind protection.",
    retryable: true,
  },
  "answer-cut": {
    row: "10b",
    text: "The answer of {servers} for {host} is truncated, and the whole answer cannot be had over TCP.",
    advice: "Open TCP port 53 to {servers}.",
    retryable: true,
  },
  "private-zone-shadows-name": {
    row: "11a",
    text: "The private DNS zone {shadowingZone} answers in the place of the public one, and does not know {host}.",
    advice:
      "Ask the owner of the virtual network to create the record there, or to unlink the zone from networks that it is not meant for.",
    retryable: true,
  },
  "name-not-found": {
    row: "11",
    text: "Every configured name server says that {host} does not exist.",
    advice: "Check the name and the cloud. `allow_global_fallback` would use the global endpoint in this case.",
    retryable: true,
  },
  "name-without-address": {
    row: "11c",
    text: "{host} exists, but has no address anywhere.",
    advice: "Check the name, and what the configured name servers say about it.",
    retryable: true,
  },
  "dns-unavailable": {
    row: "13",
    text: "No address of {host} could be had: {gaps}.",
    advice: "Check this machine's name servers. 168.63.129.16 answers only inside an Azure virtual network.",
    retryable: true,
  },
  "implausible-address": {
    row: "14",
    text: "{host} leads to {odd}, where no Azure service can be; it is not dialled.",
    advice:
      "Likely a sinkhole, a captive portal or an ad blocker. To send a name elsewhere on purpose, use `connect_to` instead of DNS or the hosts file.",
    retryable: true,
  },
  "overlay-address": {
    row: "14a",
    text: "{host} leads to {addresses}: likely a proxy with fake addresses, or an overlay network, that decides the real path.",
    advice:
      "Exempt {host} from the proxy or overlay, or list the range in `private_cidrs` if the virtual network uses it.",
    retryable: true,
  },
  "private-zone-public-range": {
    row: "15",
    text: "{owner} itself has the public address {addresses}. Either the virtual network uses a public range, or the public chain ends at the privatelink name.",
    advice:
      "Ask the owner of the virtual network for its range. Only if {addresses} lies in it, list that range in `private_cidrs`; otherwise the public endpoint would count as private.",
    retryable: true,
  },
  "private-endpoint-not-visible": {
    row: "16",
    text: "A private endpoint exists ({owner} is on the way), but this network leads to the public address {addresses}.",
    advice:
      "Likely the private DNS zone {zone} is not linked to this network, the forwarder for the public suffix is missing, or the zone falls back to the internet for a missing record.",
    retryable: true,
  },
  "hosts-public-override": {
    row: "17a",
    text: "The hosts file ({hostsLines}) gives an address for {host} that is not private; it may hide a private endpoint.",
    advice: "Remove the line, unless it is meant.",
    retryable: true,
  },
  "evidence-incomplete": {
    row: "17",
    text: "Whether {host} has a private endpoint is not known: {doubts}.",
    advice: "Repair or remove the name server that does not answer. All configured ones have to agree.",
    retryable: true,
  },
  "strict-no-private-address": {
    row: "19",
    text: "{host} has public addresses only ({addresses}), and {strictness} is set.",
    advice: "Create a private endpoint and link its zone to this network, or relax the setting.",
    retryable: true,
  },
  // Public paths
  explicit: {
    row: "2",
    text: "The settings name {host}; it has public addresses only.",
    advice: "",
    retryable: false,
  },
  "service-requested": {
    row: "20a",
    text: 'endpoint = "service": {host} is used at its public address. Devices are likely welcome there, though Azure documents it for private endpoints.',
    advice: "",
    retryable: false,
  },
  "public-only": {
    row: "20",
    text: "{host} has public addresses only, and every name server agrees: no private endpoint is in use here.",
    advice: "",
    retryable: false,
  },
  "global-fallback": {
    row: "11b",
    text: "Every configured name server says that {host} does not exist, and `allow_global_fallback` is set.",
    advice: "Check `dps_name` and the cloud.",
    retryable: false,
  },
  // The assigned hub
  "hub-name-invalid": {
    row: "H1",
    text: 'The assigned hub "{endpoint}" is no host name that its certificate could cover.',
    advice: "Check the hubs that are linked to the DPS instance.",
    retryable: false,
  },
  "cross-cloud": {
    row: "H2",
    text: "The assigned hub {host} is in {hostCloud}, and the DPS in {expectedCloud}. Private endpoints do not work when the two are in different clouds.",
    advice: "Link a hub of the same cloud to the DPS instance.",
    retryable: false,
  },
  "hub-outside-azure": {
    row: "H3",
    text: "The assigned hub {host} is not a name of an IoT hub in {expectedCloud}.",
    advice: "Check the hubs that are linked to the DPS instance, and who answers for it.",
    retryable: false,
  },
  "hub-public": {
    row: "H20",
    text: "The hub {host} has public addresses only.",
    advice: "",
    retryable: false,
  },
} as const satisfies Record<string, Reason>;

/** A code from {@link reasons}. */
export type ReasonCode = keyof typeof reasons;
