import { LandfallError } from "../errors.ts";
import type { Check } from "./check.ts";

/** Which checks shall run; each entry is the id of a check, or the beginning of some ids up to a dot (`tcp`, `tcp.dps`). */
export interface Selection {
  /** Only these, and what they depend on. Absent or empty: all. */
  readonly only?: readonly string[];
  /** Not these, nor what depends on them. */
  readonly skip?: readonly string[];
}

/** The checks that a selection leaves. */
export interface Selected {
  /** Those to report, in their order. */
  readonly checks: readonly Check[];
  /** Those of them that shall not run. */
  readonly excluded: ReadonlySet<string>;
}

/** Applies a selection. Throws `cli.usage` for an entry that names no check. */
export function selectChecks(all: readonly Check[], { only = [], skip = [] }: Selection): Selected {
  const wanted = new Set(only.length === 0 ? all.map(({ id }) => id) : only.flatMap((entry) => named(all, entry)));
  // A check comes after those that it depends on, so that one walk from the end finds them all.
  for (const { id, dependsOn } of all.toReversed()) {
    if (wanted.has(id)) for (const needed of dependsOn) wanted.add(needed);
  }
  return {
    checks: all.filter(({ id }) => wanted.has(id)),
    excluded: new Set(skip.flatMap((entry) => named(all, entry))),
  };
}

function named(all: readonly Check[], entry: string): string[] {
  const found = all.filter(({ id }) => id === entry || id.startsWith(`${entry}.`)).map(({ id }) => id);
  if (found.length > 0) return found;
  throw new LandfallError("cli.usage", `there is no check "${entry}"; landfall doctor --list shows them all`);
}
