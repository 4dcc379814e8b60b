import { isJsonObject, type JsonValue } from "../json.ts";
import { isHostName, normaliseHost } from "./host-name.ts";
import { formatIp, parseIp } from "./ip-address.ts";

/** How long remembered addresses may be dialled without DNS, in milliseconds: a day. */
export const lastGoodLifeMs = 24 * 60 * 60 * 1000;

/** Most addresses that are kept for one name, latest first. */
const mostAddresses = 16;

/** Which service a name belongs to. */
export type NetworkRole = "dps" | "hub";

/** A name that was reached over a private path, proved by a verified TLS session. */
export interface PrivateSighting {
  readonly role: NetworkRole;
  readonly host: string;
  /** DPS only: the ID scope that was registered with. */
  readonly idScope?: string;
  /** The addresses reached, latest first. */
  readonly addresses: readonly string[];
  /** Milliseconds since the epoch. */
  readonly firstSeen: number;
  readonly lastSeen: number;
}

/**
 * What this device remembers of its paths. That a path was private is remembered without limit of time, until the owner says
 * to forget; addresses are good for a day.
 */
export interface NetworkMemory {
  readonly sightings: readonly PrivateSighting[];
  /**
   * Something was remembered that can no longer be read. The memory is written only once a path was private, so a damaged one
   * means that one was, only not which. Stays until the owner says to forget.
   */
  readonly damaged: boolean;
}

/** The memory of a device that was never on a private path. */
export const emptyMemory: NetworkMemory = { sightings: [], damaged: false };

/** Of what the memory is asked. */
export interface MemorySubject {
  readonly role: NetworkRole;
  readonly host?: string | undefined;
  readonly idScope?: string | undefined;
}

/** What the memory holds about a subject. */
export interface Recollection {
  /** The latest sighting of the host or of its ID scope. */
  readonly sighting: PrivateSighting | undefined;
  /** Addresses of the very host, seen within {@link lastGoodLifeMs}; unvetted, for ranges and settings may have changed since. */
  readonly lastGood: readonly string[];
  readonly damaged: boolean;
}

/** Whether a sighting is of the host, or of the ID scope under any host: a name taken out of the settings is still remembered. */
function concerns(sighting: PrivateSighting, { role, host, idScope }: MemorySubject): boolean {
  return (
    sighting.role === role &&
    ((host !== undefined && sighting.host === normaliseHost(host)) ||
      (idScope !== undefined && sighting.idScope?.toLowerCase() === idScope.toLowerCase()))
  );
}

/** What is remembered about `subject`. A clock that was set back by no more than a day does not make addresses unusable. */
export function recall(memory: NetworkMemory, subject: MemorySubject, now: number): Recollection {
  const known = memory.sightings.filter((sighting) => concerns(sighting, subject));
  const latest = known.reduce<PrivateSighting | undefined>(
    (best, each) => (best === undefined || each.lastSeen > best.lastSeen ? each : best),
    undefined,
  );
  const host = subject.host === undefined ? undefined : normaliseHost(subject.host);
  const lastGood = known
    .filter((each) => each.host === host && Math.abs(now - each.lastSeen) <= lastGoodLifeMs)
    .flatMap(({ addresses }) => addresses);
  return { sighting: latest, lastGood: [...new Set(lastGood)], damaged: memory.damaged };
}

/** Adds what a verified TLS session to a private address has proved. */
export function withSighting(
  memory: NetworkMemory,
  { role, host, idScope }: MemorySubject & { readonly host: string },
  address: string,
  now: number,
): NetworkMemory {
  const name = normaliseHost(host);
  const same = (each: PrivateSighting): boolean => each.role === role && each.host === name && each.idScope === idScope;
  const before = memory.sightings.find(same);
  const addresses = [address, ...(before?.addresses ?? []).filter((each) => each !== address)].slice(0, mostAddresses);
  const sighting: PrivateSighting = {
    role,
    host: name,
    ...(idScope === undefined ? {} : { idScope }),
    addresses,
    firstSeen: before?.firstSeen ?? now,
    lastSeen: now,
  };
  return { ...memory, sightings: [...memory.sightings.filter((each) => !same(each)), sighting] };
}

/** The text of a memory, for its file. */
export function encodeMemory({ sightings, damaged }: NetworkMemory): string {
  return `${JSON.stringify({ schema: "landfall.network-memory/1", damaged, sightings }, null, 2)}\n`;
}

/** Reads the text of a memory. No text: nothing was ever remembered. Unreadable text: something was. */
export function decodeMemory(text: string | undefined): NetworkMemory {
  if (text === undefined) return emptyMemory;
  const damaged: NetworkMemory = { sightings: [], damaged: true };
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    return damaged;
  }
  if (!isJsonObject(value) || value.schema !== "landfall.network-memory/1" || !Array.isArray(value.sightings)) {
    return damaged;
  }
  const sightings = (value.sightings as readonly JsonValue[]).map(readSighting);
  const readable = sightings.filter((each) => each !== undefined);
  return { sightings: readable, damaged: value.damaged !== false || readable.length < sightings.length };
}

function readSighting(value: JsonValue): PrivateSighting | undefined {
  if (!isJsonObject(value)) return undefined;
  const { role, host, idScope, addresses, firstSeen, lastSeen } = value;
  if (role !== "dps" && role !== "hub") return undefined;
  if (typeof host !== "string" || !isHostName(host) || !Array.isArray(addresses)) return undefined;
  if (typeof firstSeen !== "number" || typeof lastSeen !== "number") return undefined;
  if (idScope !== undefined && typeof idScope !== "string") return undefined;
  return {
    role,
    host: normaliseHost(host),
    ...(idScope === undefined ? {} : { idScope }),
    addresses: addresses.flatMap((each) => {
      const ip = typeof each === "string" ? parseIp(each) : undefined;
      return ip === undefined ? [] : [formatIp(ip)];
    }),
    firstSeen,
    lastSeen,
  };
}
