/** What can go wrong and cannot be staged in one process on loopback. */
export interface UnstagedRow {
  readonly id: string;
  readonly cause: string;
  /** Why it is not staged here, and where it can be seen instead. */
  readonly reason: string;
}

/** The failures that one process on loopback cannot stage. */
export const unstagedFailures: readonly UnstagedRow[] = [
  {
    id: "stale-record-on-link",
    cause: "The record holds an address of the device's own subnet that nothing has",
    reason:
      "EHOSTUNREACH comes from a neighbour look-up that fails, and loopback has no neighbours; network namespaces show it.",
  },
  {
    id: "filter-prohibits",
    cause: "A firewall answers with an ICMP message (administratively prohibited)",
    reason: "EHOSTUNREACH by ICMP needs a packet filter; network namespaces show it.",
  },
  {
    id: "route-missing",
    cause: "The device has no route to the virtual network",
    reason: "ENETUNREACH comes from the routing table; network namespaces show it.",
  },
  {
    id: "configured-address",
    cause: "The device is configured with an address, or with the privatelink name",
    reason: "The world is healthy then and the configuration is not; the certificate is for the public name only.",
  },
  {
    id: "linked-hub-key-wrong",
    cause: "The DPS cannot use its linked hub: wrong key, or unlinked",
    reason: "It ends in the registration's result and has no part in the network; the emulated DPS stages it.",
  },
  {
    id: "updates-without-public-access",
    cause: "Device Update is used with a hub whose public network access is disabled",
    reason: "Device Update reaches the hub by a path inside Azure, which is not part of this world.",
  },
];
