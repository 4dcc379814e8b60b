import { lookup } from "node:dns/promises";
import { type Clock, systemClock } from "../clock.ts";
import { describeCause } from "../errors.ts";
import type { SystemView } from "./evidence.ts";
import { normaliseHost } from "./host-name.ts";

/** Asks the system's resolver for all addresses of a name. */
export type SystemLookup = (
  host: string,
  options?: { readonly signal?: AbortSignal | undefined },
) => Promise<SystemView>;

/** Longest wait for the system's resolver, in milliseconds. It cannot be stopped, only no longer waited for. */
const patienceMs = 5000;

/**
 * A {@link SystemLookup} by getaddrinfo. The name is asked with a final dot: without it a search domain with a wildcard record
 * could answer in the name's place.
 */
export function createSystemLookup(clock: Clock = systemClock, resolve: typeof resolveAll = resolveAll): SystemLookup {
  return async (host, { signal } = {}) => {
    const done = new AbortController();
    const either = signal === undefined ? done.signal : AbortSignal.any([signal, done.signal]);
    const given = resolve(`${normaliseHost(host)}.`).then(
      (addresses): SystemView => ({ status: "answered", addresses }),
      failureOf,
    );
    const late = clock
      .sleep(patienceMs, { signal: either })
      .then((): SystemView => ({ status: "failed", detail: `no answer within ${patienceMs} ms` }));
    late.catch(() => {});
    try {
      return await Promise.race([given, late]);
    } finally {
      done.abort();
    }
  };
}

async function resolveAll(name: string): Promise<string[]> {
  const found = await lookup(name, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}

function failureOf(error: unknown): SystemView {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOTFOUND" ? { status: "not-found" } : { status: "failed", detail: describeCause(error) };
}
