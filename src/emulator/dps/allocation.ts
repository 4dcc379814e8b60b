import { createHash } from "node:crypto";
import type { DeviceRegistry } from "../hub/device-registry.ts";
import type { EnrollmentOptions } from "./enrollment-options.ts";

/** A hub that DPS can assign. */
export interface LinkedHub {
  readonly name: string;
  /** What a device is told as `assignedHub`. */
  readonly address: string;
  readonly registry: DeviceRegistry;
}

/** Where a device is now. */
export interface CurrentAssignment {
  readonly hub: string;
}

/**
 * Chooses the hub for a device. A device that is already at a hub it may be at stays there; hashing spreads the others
 * evenly and always the same way. `undefined` when the enrollment allows no hub that exists.
 */
export function chooseHub(
  hubs: readonly LinkedHub[],
  options: Pick<EnrollmentOptions, "hubs" | "allocation" | "reprovisioning">,
  registrationId: string,
  current: CurrentAssignment | undefined,
): LinkedHub | undefined {
  const at = hubs.find(({ name }) => name === current?.hub);
  if (at !== undefined && options.reprovisioning === "never") return at;
  const named = options.hubs?.map((name) => hubs.find((hub) => hub.name === name));
  const allowed = named === undefined ? hubs : named.filter((hub) => hub !== undefined);
  if (options.allocation === "static") return allowed[0];
  if (at !== undefined && allowed.includes(at)) return at;
  return allowed[hashOf(registrationId) % Math.max(1, allowed.length)];
}

function hashOf(registrationId: string): number {
  return createHash("sha256").update(registrationId.toLowerCase()).digest().readUInt32BE();
}
