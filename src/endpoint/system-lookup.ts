import { lookup } from "node:dns/promises";
import { type Clock, systemClock } from "../clock.ts";
import { withDeadline } from "../deadline.ts";
import { describeCause } from "../errors.ts";
import type { SystemView } from "./evidence.ts";
import { normaliseHost } from "./host-name.ts";

/** Asks the system's resolver for all addresses of a name. Rejects only with `signal.reason`. */
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
export function createSystemLookup(
  clock: Clock = systemClock,
  resolve: (name: string) => Promise<readonly string[]> = resolveAll,
): SystemLookup {
  return async (host, { signal } = {}) => {
    const expired = (): Error => new Error(`no answer within ${patienceMs} ms`);
    try {
      const name = `${normaliseHost(host)}.`;
      const addresses = await withDeadline(() => resolve(name), { clock, ms: patienceMs, expired, signal });
      return { status: "answered", addresses };
    } catch (error) {
      signal?.throwIfAborted();
      const { code } = error as NodeJS.ErrnoException;
      return code === "ENOTFOUND" ? { status: "not-found" } : { status: "failed", detail: describeCause(error) };
    }
  };
}

async function resolveAll(name: string): Promise<string[]> {
  const found = await lookup(name, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}
