import type { Clock } from "../clock.ts";
import { type AssignedHub, candidateHosts, candidateHubHosts, decideEndpoint, decideHub } from "./decision.ts";
import type { EndpointDecision } from "./endpoint-decision.ts";
import type { EndpointSettings } from "./endpoint-settings.ts";
import type { EndpointEvidence } from "./evidence.ts";
import type { ExplainedDecision } from "./explain.ts";
import { type EvidenceSources, gatherEvidence } from "./gather-evidence.ts";
import { normaliseHost } from "./host-name.ts";
import type { NetworkMemory } from "./network-memory.ts";
import type { NetworkMemoryStore } from "./network-memory-store.ts";
import { remember, type VerifiedSession } from "./remember.ts";

/** How a connection would be made, as far as it matters to the choice of an endpoint. */
export interface ConnectionManner {
  /** TCP port of the service: 8883, 443 or 5671. */
  readonly port: number;
  /** Whether the transport lets a configured proxy carry it. */
  readonly proxy: "allowed" | "never";
}

/** Parts of an {@link EndpointFinder}. */
export interface EndpointFinderParts {
  readonly settings: EndpointSettings;
  /** Where evidence about a connection of this manner comes from. */
  readonly sources: (manner: ConnectionManner) => Promise<EvidenceSources>;
  readonly memory: NetworkMemoryStore;
  readonly clock: Clock;
}

/** Options of a search. */
export interface FindOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds endpoints: gathers evidence, decides, and remembers the private paths that were proved. Sends DNS queries only.
 * The searches never reject but with `signal.reason`: "nowhere" is a decision too.
 */
export class EndpointFinder {
  readonly #parts: EndpointFinderParts;
  /** The latest decisions, by the host that they lead to. */
  readonly #decisions = new Map<
    string,
    { readonly decision: EndpointDecision; readonly idScope: string | undefined }
  >();
  #writing: Promise<void> = Promise.resolve();
  #dps: { readonly host: string; readonly path: EndpointDecision["path"] } | undefined;

  constructor(parts: EndpointFinderParts) {
    this.#parts = parts;
  }

  /** Where DPS would be reached now. */
  async dps(manner: ConnectionManner, options: FindOptions = {}): Promise<ExplainedDecision> {
    const { settings, memory: store } = this.#parts;
    const memory = await store.load();
    const evidence = await this.#evidence(candidateHosts(settings, memory), manner, options);
    const decision = decideEndpoint(settings, evidence, memory);
    if (decision.host !== undefined) {
      this.#dps = { host: decision.host, path: decision.path };
      this.#decisions.set(normaliseHost(decision.host), { decision, idScope: settings.idScope });
    }
    return { settings, evidence, memory, decision };
  }

  /**
   * Where the assigned hub would be reached now. Without a {@link dps} search before, as with a stored assignment, the path to DPS
   * is not known, but its cloud is.
   */
  async hub(host: string, manner: ConnectionManner, options: FindOptions = {}): Promise<ExplainedDecision> {
    const { settings, memory: store } = this.#parts;
    const memory = await store.load();
    const dps = this.#dps ?? likelyDps(settings, memory);
    const found = await this.#toHub({ host, ...(dps === undefined ? {} : { dps }) }, memory, manner, options);
    const { decision } = found;
    if (decision.host !== undefined) {
      this.#decisions.set(normaliseHost(decision.host), { decision, idScope: undefined });
    }
    return found;
  }

  /** Where a service of any kind that the owner names would be reached now; DPS and its cloud have no bearing on it. */
  async named(host: string, manner: ConnectionManner, options: FindOptions = {}): Promise<ExplainedDecision> {
    return this.#toHub({ host }, await this.#parts.memory.load(), manner, options);
  }

  async #toHub(
    hub: AssignedHub,
    memory: NetworkMemory,
    manner: ConnectionManner,
    options: FindOptions,
  ): Promise<ExplainedDecision> {
    const { settings } = this.#parts;
    const evidence = await this.#evidence(candidateHubHosts(settings, hub), manner, options);
    return { settings, evidence, memory, decision: decideHub(settings, hub, evidence, memory) };
  }

  /**
   * Notes that a TLS session with `host` was verified at `address`. Only now a private path is remembered: an answer of DNS
   * alone proves nothing. Rejects when the memory cannot be written.
   */
  verified(host: string, address: string): Promise<void> {
    const latest = this.#decisions.get(normaliseHost(host));
    if (latest === undefined) return Promise.resolve();
    // One after the other: two connections at one time must not lose what the other has proved.
    const written = this.#writing.then(() => this.#note({ ...latest, address }));
    this.#writing = written.catch(() => {});
    return written;
  }

  async #note(session: VerifiedSession): Promise<void> {
    const { memory: store, clock } = this.#parts;
    const before = await store.load();
    const after = remember(before, session, clock.now());
    if (after !== before && worthWriting(before, after)) await store.save(after);
  }

  async #evidence(hosts: readonly string[], manner: ConnectionManner, options: FindOptions): Promise<EndpointEvidence> {
    const sources = await this.#parts.sources(manner);
    // Where rules lead every name elsewhere, DNS has no say, and nobody needs to be asked.
    const redirected = hosts.every((host) => sources.connectToFor?.(normaliseHost(host)) !== undefined);
    return gatherEvidence(
      hosts,
      redirected ? { ...sources, nameServers: [], systemLookup: undefined } : sources,
      options,
    );
  }
}

/** The DPS that must have assigned a hub; none for a hub given by hand, which goes without an ID scope. */
function likelyDps(settings: EndpointSettings, memory: NetworkMemory): AssignedHub["dps"] {
  const [host] = candidateHosts(settings, memory);
  return host === undefined || settings.idScope === "" ? undefined : { host, path: "unknown" };
}

/** An hour: nothing depends on a sighting's age more finely, and flash memory wears out. */
const rewriteAfterMs = 3_600_000;

function worthWriting(before: NetworkMemory, after: NetworkMemory): boolean {
  return after.sightings.some((sighting) => {
    const same = before.sightings.find(
      ({ role, host, idScope }) => role === sighting.role && host === sighting.host && idScope === sighting.idScope,
    );
    if (same === undefined || same.addresses[0] !== sighting.addresses[0]) return true;
    return sighting.lastSeen - same.lastSeen >= rewriteAfterMs;
  });
}
