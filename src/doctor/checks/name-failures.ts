import type { Failure } from "../check.ts";

/** How the view of a service's name can turn out badly. Alone each is a failure; beside another server's address, a warning. */
export const nameFailures = {
  "record-missing": {
    status: "failed or warning",
    when: "A private DNS zone is in use here, and has no record for the name.",
    cause:
      "The private endpoint was made without its zone group, or its record was deleted, perhaps by a second endpoint.",
    remedy:
      "Ask the owner of the virtual network to create the record, or to attach the zone group to the private endpoint.",
  },
  "answer-cut": {
    status: "failed or warning",
    when: "An answer is truncated, and TCP to the name server does not work.",
    cause: "A firewall lets DNS through over UDP only.",
    remedy: "Ask whoever runs the network to open TCP port 53 to the name server.",
  },
  "zone-shadows": {
    status: "failed or warning",
    when: "A private DNS zone answers for the public suffix, and does not know the name.",
    cause: "A private zone of the same name as the public suffix is linked to this network.",
    remedy:
      "Ask the owner of the virtual network to create the record there, or to unlink the zone from networks that it is not meant for.",
  },
  "address-stripped": {
    status: "failed or warning",
    when: "An answer has no address, and no authority says that there is none.",
    cause: "Likely protection against DNS rebinding, or a filter, takes private addresses out.",
    remedy: "Ask whoever runs the name server to exempt the name from rebind protection.",
  },
  "no-answer": {
    status: "failed or warning",
    when: "A configured name server does not answer, refuses, or answers something that cannot be used.",
    cause:
      "The name server is down, out of reach, or cannot reach its own. 168.63.129.16 answers only inside an Azure virtual network.",
    remedy: "Ask whoever runs the network to repair the name server, or remove it from this machine's configuration.",
  },
  "name-not-found": {
    status: "failed",
    when: "Every configured name server says that the name does not exist.",
    cause: "The name is misspelt, of another cloud, or the resource was deleted.",
    remedy: "Compare the name with the one that the Azure portal shows for the resource.",
  },
  "no-address": {
    status: "failed",
    when: "The name exists, and has no address anywhere.",
    cause: "A record of the right name and the wrong type, or a zone in the place of the public one.",
    remedy: "Ask whoever runs the name servers for the A record of the name.",
  },
  implausible: {
    status: "failed",
    when: "The name leads to addresses of this machine, this link, a metadata service or a reserved range.",
    cause: "Likely a sinkhole, a captive portal or an ad blocker answers in Azure's place.",
    remedy: "Ask whoever runs the name servers to exempt the name. To dial elsewhere on purpose, use `connect_to`.",
  },
  overlay: {
    status: "warning",
    when: "The name leads to a range that proxies with fake addresses and overlay networks use.",
    cause: "Likely a proxy or an overlay network catches the traffic and decides the real path.",
    remedy: "Exempt the name there; or, if the virtual network uses the range, list it in `private_cidrs`.",
  },
  "ipv6-only": {
    status: "warning",
    when: "The only private addresses are IPv6, which DPS and IoT Hub do not have.",
    cause: "Likely a DNS64 gateway, or a wrong record.",
    remedy: "Ask whoever runs the name servers for the IPv4 address of the private endpoint.",
  },
  "public-range": {
    status: "warning",
    when: "The privatelink name itself has a public address.",
    cause: "Either the virtual network uses a public range, or the public chain ends at the privatelink name.",
    remedy:
      "Ask the owner of the virtual network for its range. Only if the address lies in it, list that range in `private_cidrs`.",
  },
  "private-endpoint-not-visible": {
    status: "warning",
    when: "A private endpoint exists, but this network leads to the public address.",
    cause:
      "Likely the private DNS zone is not linked to this network or has a wrong name, the forwarder for the public suffix is missing, or the zone falls back to the internet for a missing record.",
    remedy: "Ask the owner of the virtual network to link the zone; on premises, forward the public suffix into it.",
  },
  "servers-disagree": {
    status: "warning",
    when: "Some answers are private and some are public.",
    cause: "Name servers of different networks are configured side by side, or a VPN added one.",
    remedy: "Use name servers of one network only; otherwise the path changes whenever one of them hiccups.",
  },
  "no-privatelink": {
    status: "warning",
    when: "The address is private, and no privatelink zone is behind it.",
    cause: "A zone for the public suffix, or a local override, takes the place of the private DNS zone.",
    remedy:
      "Use the privatelink zone: an override is not updated when the private endpoint moves, and hides other names.",
  },
  ipv6: {
    status: "warning",
    when: "The name has IPv6 addresses, which DPS and IoT Hub do not have.",
    cause: "A wrong record, or a gateway of an unusual kind.",
    remedy: "Ask whoever runs the name servers where the address comes from.",
  },
} as const satisfies Readonly<Record<string, Failure>>;

/** A key of {@link nameFailures}. */
export type NameFailure = keyof typeof nameFailures;
