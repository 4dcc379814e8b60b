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
      return allowed.find((hub) => custom !== undefined && isCalled(hub, custom));
  }
  if (at !== undefined && allowed.includes(at)) return at;
  return allowed[hashOf(registrationId) % Math.max(1, allowed.length)];
}

/** The hubs that an enrollment allows, in its order. */
export function allowedHubs(
  hubs: readonly LinkedHub[],
  options: Pick<EnrollmentOptions, "hubs">,
): readonly LinkedHub[] {
  const named = options.hubs?.map((text) => hubs.find((hub) => isCalled(hub, text)));
  return named === undefined ? hubs : named.filter((hub) => hub !== undefined);
}

/** The names of hubs in an enrollment that no hub has. */
export function unknownHubs(
  hubs: readonly LinkedHub[],
  { hubs: named = [], latenciesMs = {} }: Pick<EnrollmentOptions, "hubs" | "latenciesMs">,
): readonly string[] {
  const all = new Set([...named, ...Object.keys(latenciesMs)]);
  return [...all].filter((text) => !hubs.some((hub) => isCalled(hub, text)));
}

/** Whether a hub is meant by its name or its host name. */
function isCalled({ name, hostName }: LinkedHub, text: string): boolean {
  return text === name || text === hostName;
}

function nearest(hubs: readonly LinkedHub[], latenciesMs: Readonly<Record<string, number>>): LinkedHub | undefined {
  const latencyOf = ({ name, hostName }: LinkedHub): number =>
    latenciesMs[name] ?? latenciesMs[hostName] ?? Number.POSITIVE_INFINITY;
  return hubs.reduce<LinkedHub | undefined>(
    (best, hub) => (best === undefined || latencyOf(hub) < latencyOf(best) ? hub : best),
    undefined,
  );
}

function hashOf(registrationId: string): number {
  return createHash("sha256").update(registrationId.toLowerCase()).digest().readUInt32BE();
}
