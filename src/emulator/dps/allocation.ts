import { createHash } from "node:crypto";
import type { DeviceRegistry } from "../hub/device-registry.ts";
import type { EnrollmentOptions } from "./enrollment-options.ts";

/** A hub that DPS can assign. */
export interface LinkedHub {
  readonly name: string;
  /** As in Azure, whatever devices are told. */
  readonly hostName: string;
  /** What a device is told as `assignedHub`. */
  readonly address: string;
  readonly registry: DeviceRegistry;
}

/** Where a device is now. */
export interface CurrentAssignment {
  readonly hub: string;
}

/**
 * Chooses the hub for a device. With hashing, a device that is already at a hub it may be at stays there, and the others
 * are spread evenly and always the same way. `undefined` when the enrollment allows no hub that exists.
 * @param custom what a custom allocation has decided: the name or host name of a hub
 */
export function chooseHub(
  hubs: readonly LinkedHub[],
  options: Pick<EnrollmentOptions, "hubs" | "allocation" | "reprovisioning" | "latenciesMs">,
  registrationId: string,
  current: CurrentAssignment | undefined,
  custom?: string,
): LinkedHub | undefined {
  const at = hubs.find(({ name }) => name === current?.hub);
  if (at !== undefined && options.reprovisioning === "never") return at;
  const allowed = allowedHubs(hubs, options);
  switch (options.allocation) {
    case "static":
      return allowed[0];
    case "lowest-latency":
      return nearest(allowed, options.latenciesMs ?? {});
    case "custom":
      return allowed.find(({ name, hostName }) => custom === name || custom === hostName);
  }
  if (at !== undefined && allowed.includes(at)) return at;
  return allowed[hashOf(registrationId) % Math.max(1, allowed.length)];
}

/** The hubs that an enrollment allows, in its order. */
export function allowedHubs(
  hubs: readonly LinkedHub[],
  options: Pick<EnrollmentOptions, "hubs">,
): readonly LinkedHub[] {
  const named = options.hubs?.map((name) => hubs.find((hub) => hub.name === name));
  return named === undefined ? hubs : named.filter((hub) => hub !== undefined);
}

function nearest(hubs: readonly LinkedHub[], latenciesMs: Readonly<Record<string, number>>): LinkedHub | undefined {
  const latencyOf = ({ name }: LinkedHub): number => latenciesMs[name] ?? Number.POSITIVE_INFINITY;
  return hubs.reduce<LinkedHub | undefined>(
    (best, hub) => (best === undefined || latencyOf(hub) < latencyOf(best) ? hub : best),
    undefined,
  );
}

function hashOf(registrationId: string): number {
  return createHash("sha256").update(registrationId.toLowerCase()).digest().readUInt32BE();
}
