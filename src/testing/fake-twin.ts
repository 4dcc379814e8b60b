import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { TwinDocument } from "../transport/messages.ts";

/** The twin of a fake hub. It outlives connections, as the real one does. */
export class FakeTwin {
  document: TwinDocument = { desired: { $version: 1 }, reported: { $version: 1 } };

  /** Merges `patch` into the desired properties and returns their new version. */
  changeDesired(patch: JsonObject): number {
    const desired = nextVersion(this.document.desired, patch);
    this.document = { ...this.document, desired };
    return versionOf(desired);
  }

  /** Merges `patch` into the reported properties and returns their new version. */
  changeReported(patch: JsonObject): number {
    const reported = nextVersion(this.document.reported, patch);
    this.document = { ...this.document, reported };
    return versionOf(reported);
  }
}

function nextVersion(properties: JsonObject, patch: JsonObject): JsonObject {
  return { ...merge(properties, patch), $version: versionOf(properties) + 1 };
}

function versionOf(properties: JsonObject): number {
  return typeof properties.$version === "number" ? properties.$version : 0;
}

/** A JSON merge patch as twins know it: `null` deletes, objects merge, everything else replaces. */
function merge(target: JsonValue | undefined, patch: JsonObject): JsonObject {
  const merged: Record<string, JsonValue> = isJsonObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = isJsonObject(value) ? merge(merged[key], value) : value;
  }
  return merged;
}
