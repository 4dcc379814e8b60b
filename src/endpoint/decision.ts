import { azureHost } from "./clouds.ts";
import { textValues } from "./decision-texts.ts";
import { dpsRules } from "./dps-rules.ts";
import type { EndpointDecision, EndpointPath, EndpointWarning } from "./endpoint-decision.ts";
import { type EndpointSettings, endpointWish, globalHost, isStrict } from "./endpoint-settings.ts";
import type { EndpointEvidence } from "./evidence.ts";
import { normaliseHost } from "./host-name.ts";
import { hubNameRules, hubRules } from "./hub-rules.ts";
import { emptyMemory, type NetworkMemory } from "./network-memory.ts";
import type { Outcome, Rule } from "./outcome.ts";
import { type ReasonCode, reasons } from "./reasons.ts";
import { dpsSituation, type HubContext, hubSituation, knownServiceHost, type Situation } from "./situation.ts";
import { fillText, type TextValues } from "./text-template.ts";
import { warningRules } from "./warning-rules.ts";
import { warnings } from "./warnings.ts";

/** Evidence may be dialled by for at least this long, and at most that long, in milliseconds. */
const freshness = { leastMs: 30_000, mostMs: 300_000 } as const;

/**
 * The names about which evidence is needed before {@link decideEndpoint}. The global endpoint is not among them where it could
 * never be chosen.
 */
export function candidateHosts(settings: EndpointSettings, memory: NetworkMemory): string[] {
  const wish = endpointWish(settings);
  if (wish === "host") return [normaliseHost(settings.endpoint)];
  const service = knownServiceHost(settings, memory);
  const global = isStrict(settings) || wish === "service" ? undefined : globalHost(settings);
  return [service, global].filter((host) => host !== undefined);
}

/**
 * Decides where a registration goes. A pure function: the same settings, evidence and memory give the same decision.
 *
 * Whatever the world looks like, this holds. The global endpoint is never chosen when a private endpoint is known, when only a
 * private path will do, or when the path was private before (an owner who names it in the settings is obeyed, unless strict).
 * What could not be observed counts as unknown, never as public. The addresses of a decision were all observed, or remembered
 * as private. An address of this machine, this link or a metadata service is never dialled for an Azure name.
 */
export function decideEndpoint(
  settings: EndpointSettings,
  evidence: EndpointEvidence,
  memory: NetworkMemory,
): EndpointDecision {
  return conclude(dpsSituation(settings, evidence, memory), dpsRules);
}

/** The assigned hub, and what is known of the DPS that assigned it. */
export interface AssignedHub {
  /** The hub's name, verbatim from the assignment or the settings. */
  readonly host: string;
  /** Absent when the hub was given by hand. */
  readonly dps?: { readonly host: string; readonly path: EndpointPath };
}

/**
 * Decides where the session with an assigned hub goes. As {@link decideEndpoint}, without a global endpoint; and the hub's name,
 * which comes from the network, has to belong to an IoT hub of the DPS's own cloud.
 */
export function decideHub(
  settings: EndpointSettings,
  hub: AssignedHub,
  evidence: EndpointEvidence,
  memory: NetworkMemory,
): EndpointDecision {
  return conclude(hubSituation(settings, contextOf(hub), evidence, memory), hubRules);
}

/**
 * The names about which evidence is needed before {@link decideHub}: the hub, unless its very name rules it out. An assignment
 * comes from the network; what it names is not even looked up then.
 */
export function candidateHubHosts(settings: EndpointSettings, hub: AssignedHub): string[] {
  const nothing: EndpointEvidence = { gatheredAt: 0, names: [], nat64Prefixes: [] };
  const situation = hubSituation(settings, contextOf(hub), nothing, emptyMemory);
  return hubNameRules.some(({ when }) => when(situation)) ? [] : [normaliseHost(hub.host)];
}

function contextOf({ host, dps }: AssignedHub): HubContext {
  return { assigned: host, cloud: azureHost(dps?.host ?? "")?.cloud, dpsPath: dps?.path };
}

function conclude(situation: Situation, rules: readonly Rule[]): EndpointDecision {
  const rule = rules.find(({ when }) => when(situation));
  // The last rule of either list applies to every situation.
  if (rule === undefined) throw new TypeError("no rule applies");
  const outcome = rule.choose(situation);
  const values = textValues(situation, outcome);
  const { row, text, advice, retryable } = reasons[rule.reason];
  return {
    ...outcome,
    reason: rule.reason,
    row,
    text: fillText(text, values),
    advice: fillText(advice, values),
    warnings: warningsOf(situation, outcome, rule.reason, values),
    retryable: outcome.kind === "none" && retryable,
    freshForMs: freshFor(situation),
  };
}

function warningsOf(situation: Situation, outcome: Outcome, reason: ReasonCode, values: TextValues): EndpointWarning[] {
  return warningRules
    .filter(({ when }) => when(situation, outcome, reason))
    .map(({ code, values: own }) => {
      const filled = { ...values, ...own?.(situation) };
      return { code, text: fillText(warnings[code].text, filled), remedy: fillText(warnings[code].remedy, filled) };
    });
}

function freshFor({ name }: Situation): number {
  return Math.min(freshness.mostMs, Math.max(freshness.leastMs, (name.ttl ?? 0) * 1000));
}
