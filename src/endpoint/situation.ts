import { type ClassifyContext, classifyAddress } from "./address-class.ts";
import { azureHost, type CloudName } from "./clouds.ts";
import type { EndpointKind, EndpointPath } from "./endpoint-decision.ts";
import {
  cloudOf,
  type EndpointSettings,
  type EndpointWish,
  endpointWish,
  globalHost,
  isStrict,
  serviceHost,
} from "./endpoint-settings.ts";
import {
  type ConnectToApplicability,
  type EndpointEvidence,
  evidenceFor,
  type NameEvidence,
  type ProxyApplicability,
} from "./evidence.ts";
import { normaliseHost } from "./host-name.ts";
import { parseCidr } from "./ip-address.ts";
import { type NameFacts, readFacts } from "./name-facts.ts";
import { type NetworkMemory, type NetworkRole, type Recollection, recall } from "./network-memory.ts";
import { parsePrivateCidrs } from "./private-cidrs.ts";

/** Everything a rule looks at: settings, evidence and memory, put in the terms in which the rules are written. */
export interface Situation {
  readonly settings: EndpointSettings;
  readonly wish: EndpointWish;
  /** Only a private path will do. */
  readonly strict: boolean;
  /** What a decision for {@link target} is called. */
  readonly kind: Exclude<EndpointKind, "none">;
  /** The name that the settings, or the assignment, lead to; absent when only the global endpoint is left. */
  readonly target: string | undefined;
  /** What is known about {@link target}, or about the global endpoint without one. */
  readonly name: NameFacts;
  readonly proxy: ProxyApplicability;
  readonly connectTo: ConnectToApplicability | undefined;
  readonly global: { readonly host: string; readonly name: NameFacts; readonly proxy: ProxyApplicability };
  /** What is known about the service endpoint, also when another one is wanted. */
  readonly service: NameFacts | undefined;
  readonly memory: Recollection;
  /** Addresses of {@link target} that were good within a day and are still private by today's ranges and settings. */
  readonly lastGood: readonly string[];
  readonly now: number;
  /** Decisions for a hub only. */
  readonly hub: HubContext | undefined;
}

/** What a decision for a hub knows of the DPS that assigned it. */
export interface HubContext {
  /** The hub as the assignment names it. */
  readonly assigned: string;
  /** The cloud of the DPS; absent when the DPS is outside Azure, or there was none. */
  readonly cloud: CloudName | undefined;
  /** How the DPS was reached. */
  readonly dpsPath: EndpointPath | undefined;
}

/** The service endpoint: by the settings, else the one that was remembered for this ID scope. */
export function knownServiceHost(settings: EndpointSettings, memory: NetworkMemory): string | undefined {
  if (settings.dpsName !== undefined) return serviceHost(settings);
  const remembered = recall(memory, { role: "dps", idScope: settings.idScope }, 0).sighting?.host;
  return remembered !== undefined && azureHost(remembered)?.service === "dps" ? remembered : undefined;
}

/** The situation of a registration. */
export function dpsSituation(settings: EndpointSettings, evidence: EndpointEvidence, memory: NetworkMemory): Situation {
  const wish = endpointWish(settings);
  const service = knownServiceHost(settings, memory);
  const target = { auto: service, service, global: globalHost(settings), host: normaliseHost(settings.endpoint) }[wish];
  return situationOf(settings, evidence, memory, {
    wish,
    strict: isStrict(settings),
    kind: wish === "global" || wish === "host" ? "explicit" : "service",
    target,
    service,
    remembered: wish === "global" ? service : target,
    role: "dps",
    hub: undefined,
  });
}

/** The situation of a session with an assigned hub. Data residency has no say: a hub stays in its region however it is reached. */
export function hubSituation(
  settings: EndpointSettings,
  hub: HubContext,
  evidence: EndpointEvidence,
  memory: NetworkMemory,
): Situation {
  return situationOf(settings, evidence, memory, {
    wish: "service",
    strict: settings.network === "private",
    kind: "hub",
    target: normaliseHost(hub.assigned),
    service: undefined,
    remembered: normaliseHost(hub.assigned),
    role: "hub",
    hub,
  });
}

interface Aim extends Pick<Situation, "wish" | "strict" | "kind" | "target" | "hub"> {
  readonly service: string | undefined;
  /** The name to look for in the memory. */
  readonly remembered: string | undefined;
  readonly role: NetworkRole;
}

function situationOf(
  settings: EndpointSettings,
  evidence: EndpointEvidence,
  memory: NetworkMemory,
  { service, remembered, role, ...aim }: Aim,
): Situation {
  const context: ClassifyContext = {
    privateCidrs: parsePrivateCidrs(settings.privateCidrs).cidrs,
    nat64Prefixes: evidence.nat64Prefixes.flatMap((text) => parseCidr(text) ?? []),
  };
  const known = new Map<string, NameFacts>();
  const factsOf = (host: string): NameFacts => {
    const facts = known.get(host) ?? readFacts(host, evidenceFor(evidence, host), context);
    known.set(host, facts);
    return facts;
  };
  const global = globalHost(settings);
  const about: NameEvidence | undefined = evidenceFor(evidence, aim.target ?? global);
  const recollection = recall(
    memory,
    { role, host: remembered, idScope: role === "dps" ? settings.idScope : undefined },
    evidence.gatheredAt,
  );
  return {
    ...aim,
    settings,
    name: factsOf(aim.target ?? global),
    proxy: about?.proxy ?? { applies: false },
    connectTo: about?.connectTo,
    global: {
      host: global,
      name: factsOf(global),
      proxy: evidenceFor(evidence, global)?.proxy ?? { applies: false },
    },
    service: service === undefined ? undefined : factsOf(service),
    memory: recollection,
    lastGood: recollection.lastGood.filter((text) => {
      const found = classifyAddress(text, context);
      return found?.class === "private" && (found.family === 4 || !aim.strict);
    }),
    now: evidence.gatheredAt,
  };
}

/** The cloud that the name in question should belong to. */
export function expectedCloud({ settings, hub }: Situation): CloudName | undefined {
  return hub === undefined ? cloudOf(settings) : hub.cloud;
}

/** The target was reached over a private path before, under this name or this ID scope. */
export function wasPrivate({ memory }: Situation): boolean {
  return memory.sighting !== undefined;
}

/** The proxy looks names up itself, so that what DNS says here has no bearing on the path. */
export function proxyResolvesNames({ proxy }: Pick<Situation, "proxy">): boolean {
  return proxy.applies && proxy.resolvesNames;
}

/** The connection is made without such a proxy: there is none, or the path has to stay private, or has been. */
export function goesDirect(situation: Situation): boolean {
  return situation.strict || wasPrivate(situation) || !proxyResolvesNames(situation);
}

/** Nobody gave any address at all. */
export function hasNoAddress({ name }: Situation): boolean {
  return name.observations.length === 0;
}
