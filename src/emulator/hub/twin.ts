import { isJsonObject, type JsonObject, type JsonValue } from "../../json.ts";
import { patchFault, sizeFault, type TwinPart } from "./twin-limits.ts";

/** A whole twin, as the service side sees it. `$version` stands in `desired` and `reported`. */
export interface TwinSnapshot {
  readonly desired: JsonObject;
  readonly reported: JsonObject;
  readonly tags: JsonObject;
}

/** What a twin begins with. */
export interface InitialTwin {
  readonly desired?: JsonObject;
  readonly tags?: JsonObject;
}

/** The outcome of a patch: the new version of the part, or what was wrong in words. */
export type PatchOutcome =
  | { readonly ok: true; readonly version: number }
  | { readonly ok: false; readonly fault: string };

interface Section {
  content: JsonObject;
  version: number;
}

/** One device twin: desired and reported properties with versions of their own, and tags. */
export class Twin {
  readonly #parts: Record<TwinPart, Section>;

  constructor({ desired = {}, tags = {} }: InitialTwin = {}) {
    this.#parts = {
      desired: { content: structuredClone(desired), version: 1 },
      reported: { content: {}, version: 1 },
      tags: { content: structuredClone(tags), version: 1 },
    };
  }

  /** Version of the desired or reported properties. */
  versionOf(part: "desired" | "reported"): number {
    return this.#parts[part].version;
  }

  /** What a device gets: no tags, no metadata. */
  deviceView(): { readonly desired: JsonObject; readonly reported: JsonObject } {
    const { desired, reported } = this.snapshot();
    return { desired, reported };
  }

  /** A copy of everything. */
  snapshot(): TwinSnapshot {
    const { desired, reported, tags } = this.#parts;
    return structuredClone({
      desired: { ...desired.content, $version: desired.version },
      reported: { ...reported.content, $version: reported.version },
      tags: tags.content,
    });
  }

  /** Merges a patch into one part: `null` deletes, objects merge, everything else replaces. Nothing changes when it is refused. */
  patch(part: TwinPart, patch: JsonObject): PatchOutcome {
    const section = this.#parts[part];
    const fault = patchFault(patch);
    if (fault !== undefined) return { ok: false, fault };
    const content = merge(section.content, patch);
    const tooLarge = sizeFault(part, content);
    if (tooLarge !== undefined) return { ok: false, fault: tooLarge };
    section.content = structuredClone(content);
    section.version += 1;
    return { ok: true, version: section.version };
  }
}

function merge(target: JsonValue | undefined, patch: JsonObject): JsonObject {
  const merged = new Map(isJsonObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, isJsonObject(value) ? merge(merged.get(key), value) : value);
  }
  return Object.fromEntries(merged);
}
