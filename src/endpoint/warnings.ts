/** What is fixed about a warning; places in braces are filled from the world at hand. */
export interface Warning {
  readonly text: string;
  readonly remedy: string;
}

/** Everything that a decision may warn of. Codes are a contract, as those of the reasons are. */
export const warnings = {
  "id-scope-cloud-mismatch": {
    text: "The ID scope {idScope} looks like one of {scopeCloud}, but {host} belongs to {hostCloud}.",
    remedy: "Check `id_scope`, `cloud` and the endpoint's name; all three belong to one cloud.",
  },
  "dps-name-unknown": {
    text: "Without `dps_name` a private endpoint cannot be detected.",
    remedy: "Set `dps_name` if the DPS instance has, or may get, a private endpoint.",
  },
  "dps-name-from-memory": {
    text: "`dps_name` is not set; {host} is used because this ID scope was reached there over a private path.",
    remedy: "Set `dps_name`, or run `landfall endpoint --forget` if the device left that network for good.",
  },
  "global-despite-private": {
    text: "The settings name the global endpoint although a private endpoint is known ({known}). The registration leaves the private network, and may leave the region.",
    remedy: "Remove `endpoint` so that the private endpoint is used.",
  },
  "memory-unreadable": {
    text: "The network memory cannot be read; this device likely had a private path before.",
    remedy: "Run `landfall endpoint --forget` once the present path is the right one.",
  },
  "global-not-public": {
    text: "The global endpoint {global} leads to {addresses}, which is not a public address.",
    remedy: "Ask whoever runs the name servers; likely a filter, a proxy or a private zone answers in Azure's place.",
  },
  "proxy-resolves-names": {
    text: "{proxy} ({proxySource}) looks {host} up itself, so what DNS says here tells nothing about the path.",
    remedy: "If the path has to be private, exempt the host: add {suffix} to NO_PROXY.",
  },
  "proxy-hides-private-endpoint": {
    text: "DNS here shows {host} at the private address {known}, but the connection goes through {proxy}.",
    remedy: "Add {suffix} to NO_PROXY (the public suffix: clients ask for that name, never for a privatelink name).",
  },
  "proxy-bypassed": {
    text: "{proxy} ({proxySource}) is not used for {host}: it would look the name up itself, and the path has to stay private.",
    remedy: "Add {suffix} to NO_PROXY to say so in the settings.",
  },
  "mixed-answers": {
    text: "Beside the private address, {sources} gives {dropped} for {host}; that is never dialled.",
    remedy:
      "Ask whoever runs the name servers: inside the virtual network all of them should give the private address only.",
  },
  "resolvers-disagree": {
    text: "The name servers disagree about {host}: {views}.",
    remedy: "Use name servers of one network only; otherwise the path changes whenever one of them hiccups.",
  },
  "answers-missing": {
    text: "Not every configured name server could be heard: {gaps}.",
    remedy: "Repair or remove the server that does not answer.",
  },
  "private-address-without-privatelink": {
    text: "The private address of {host} does not come from a privatelink zone: {sources}.",
    remedy:
      "A zone for the public suffix is not updated automatically and hides other names in it; use the privatelink zone.",
  },
  "hosts-override": {
    text: "{hostsLines} gives {host} the address {hostsAddresses}.",
    remedy: "Keep the line current by hand, or remove it and link the private DNS zone.",
  },
  "private-zone-missing-record": {
    text: "{servers} uses the private zone {zone}, which has no record `{record}`.",
    remedy: "Ask the owner of the virtual network to create the record or to attach the zone group.",
  },
  "answer-stripped": {
    text: "{servers} answers for {host} without an address and without saying that there is none.",
    remedy: "Likely protection against DNS rebinding; exempt {host} from it.",
  },
  "answer-cut": {
    text: "The answer of {servers} for {host} is truncated, and TCP to it does not work.",
    remedy: "Open TCP port 53 to {servers}.",
  },
  "odd-address-dropped": {
    text: "{odd} was given for {host} and is not dialled.",
    remedy: "Find out who gives it: a sinkhole, a captive portal, a filter, or an entry made for a test.",
  },
  "ipv6-answer": {
    text: "{host} has IPv6 addresses here ({ipv6}), though DPS and IoT Hub have none.",
    remedy: "Normal behind a DNS64 gateway; anywhere else a wrong record.",
  },
  "private-path-unused": {
    text: "{remembered} was reached over a private path until {until}; this connection does not use it.",
    remedy: "Check the VPN and the zone link; run `landfall endpoint --forget` if the change is meant.",
  },
  "last-good-address": {
    text: "{host} is dialled at an address that was good {age} ago, without DNS.",
    remedy: "Repair the name servers: after a day the address is no longer used.",
  },
  "hub-not-private": {
    text: "DPS was reached over a private path, but the hub {host} is not.",
    remedy: "The hub needs a private endpoint of its own (sub-resource iotHub), and its zone linked to this network.",
  },
} as const satisfies Record<string, Warning>;

/** A code from {@link warnings}. */
export type WarningCode = keyof typeof warnings;
