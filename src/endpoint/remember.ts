import { azureHost } from "./clouds.ts";
import type { EndpointDecision } from "./endpoint-decision.ts";
import { type NetworkMemory, withSighting } from "./network-memory.ts";

/** A TLS session that was verified for the decision's host. */
export interface VerifiedSession {
  readonly decision: EndpointDecision;
  /** The address of the decision that was dialled. */
  readonly address: string;
  /** DPS only: the ID scope that was registered with. */
  readonly idScope?: string | undefined;
}

/**
 * What the memory becomes after a verified session. Only a private path to an Azure name is remembered, and only an address that
 * the decision had vetted: an answer alone proves nothing, since a captive portal answers 192.168.1.1 for every name. Returns
 * the same memory when there is nothing to add.
 */
export function remember(
  memory: NetworkMemory,
  { decision, address, idScope }: VerifiedSession,
  now: number,
): NetworkMemory {
  const { host, path, addresses } = decision;
  const service = azureHost(host ?? "")?.service;
  if (host === undefined || path !== "private" || !addresses?.includes(address)) return memory;
  if (service !== "dps" && service !== "hub") return memory;
  return withSighting(memory, { role: service, host, idScope: service === "dps" ? idScope : undefined }, address, now);
}
