import { LandfallError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import type { DesiredPatch, TwinDocument } from "../transport/messages.ts";
import { applyMergePatch, diffMergePatch } from "./merge-patch.ts";

/** The desired properties at one version. */
export interface DesiredDocument {
  /** The twin's desired `$version`. */
  readonly version: number;
  /** The properties, without `$version`. */
  readonly desired: JsonObject;
}

/** A step from one version of the desired properties to another. */
export interface DesiredChange extends DesiredDocument {
  /** A JSON merge patch that leads from the desired properties of the change before to these; `null` deletes. */
  readonly patch: JsonObject;
}

/** No properties, before anything is known. */
export const unknownDesired: DesiredDocument = { version: 0, desired: {} };

/** The desired part of a twin. Throws `transport.protocol` when it has no version. */
export function desiredOf({ desired }: TwinDocument): DesiredDocument {
  const { $version: version } = desired;
  if (!isVersion(version)) {
    throw new LandfallError("transport.protocol", `expected a twin with a desired $version, found ${typeof version}`);
  }
  return { version, desired: withoutServiceMembers(desired) };
}

/** The change from what is known to a document that was read whole; `undefined` when nothing changed. */
export function changeTo(known: DesiredDocument, { version, desired }: DesiredDocument): DesiredChange | undefined {
  const patch = diffMergePatch(known.desired, desired);
  // A new version that changes nothing is still news: a device acknowledges versions.
  if (version === known.version && Object.keys(patch).length === 0) return undefined;
  return { version, desired, patch };
}

/**
 * What a pushed patch does to what is known: it is the next one, or it came before, or others are missing in between.
 */
export function judgePatch(known: DesiredDocument, { version, patch }: DesiredPatch): DesiredChange | "stale" | "gap" {
  if (version <= known.version) return "stale";
  if (version > known.version + 1) return "gap";
  const stripped = withoutServiceMembers(patch);
  return { version, patch: stripped, desired: applyMergePatch(known.desired, stripped) };
}

const isVersion = (value: unknown): value is number => Number.isSafeInteger(value);

/** Names that begin with $ are the service's: `$version`, `$metadata`. No property of a user may. */
function withoutServiceMembers(properties: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !name.startsWith("$")));
}
