import { azureHost, cloudOfIdScope } from "./clouds.ts";
import { oddOnes, serversOf } from "./decision-texts.ts";
import type { NameFacts } from "./name-facts.ts";
import type { Outcome } from "./outcome.ts";
import type { ReasonCode } from "./reasons.ts";
import { proxyResolvesNames, type Situation, wasPrivate } from "./situation.ts";
import type { TextValues } from "./text-template.ts";
import type { WarningCode } from "./warnings.ts";

/** When a warning goes with a decision. */
export interface WarningRule {
  readonly code: WarningCode;
  readonly when: (situation: Situation, outcome: Outcome, reason: ReasonCode) => boolean;
  /** Values that differ from those of the decision's own texts. */
  readonly values?: (situation: Situation) => TextValues;
}

const throughProxy = (s: Situation, o: Outcome): boolean =>
  proxyResolvesNames(s) && o.kind !== "none" && o.addresses === undefined && s.connectTo === undefined;

/** Some give other kinds of addresses than others, or some give addresses and others none. */
function disagree({ observations, denials }: NameFacts): boolean {
  const kinds = new Map<string, Set<string>>();
  for (const { from, class: kind } of observations) kinds.set(from, (kinds.get(from) ?? new Set()).add(kind));
  const views = new Set([...kinds.values()].map((each) => [...each].sort().join()));
  return views.size > 1 || (views.size > 0 && denials.length > 0);
}

/** Every warning, in the order of printing. */
export const warningRules: readonly WarningRule[] = [
  {
    code: "global-despite-private",
    when: (s, o) =>
      s.wish === "global" &&
      o.kind !== "none" &&
      (wasPrivate(s) || s.memory.damaged || s.service?.knownPrivate === true),
  },
  {
    code: "hub-not-private",
    when: (s, o) => s.hub?.dpsPath === "private" && o.path !== "private" && s.name.publicAddresses.length > 0,
  },
  {
    code: "id-scope-cloud-mismatch",
    when: (s) => {
      const [scope, host] = [cloudOfIdScope(s.settings.idScope), azureHost(s.target ?? s.global.host)];
      return s.hub === undefined && scope !== undefined && host !== undefined && scope !== host.cloud;
    },
  },
  { code: "dps-name-unknown", when: (_, __, reason) => reason === "no-dps-name" },
  {
    code: "dps-name-from-memory",
    when: (s) =>
      s.hub === undefined && s.kind === "service" && s.settings.dpsName === undefined && s.target !== undefined,
  },
  {
    code: "memory-unreadable",
    when: (s, _, reason) => s.hub === undefined && s.memory.damaged && reason !== "memory-unreadable",
  },
  {
    code: "private-path-unused",
    when: (s, o, reason) =>
      wasPrivate(s) && o.kind !== "none" && o.path !== "private" && reason !== "private-downgrade",
  },
  {
    code: "global-not-public",
    when: (s, o) => o.host === s.global.host && o.addresses !== undefined && o.path !== "public",
  },
  { code: "proxy-resolves-names", when: throughProxy },
  {
    code: "proxy-hides-private-endpoint",
    when: (s, o) => throughProxy(s, o) && s.name.vetted.length > 0,
    values: (s) => ({ known: s.name.vetted.join("; ") }),
  },
  {
    code: "proxy-bypassed",
    when: (s, o) => proxyResolvesNames(s) && o.host === s.target && o.addresses !== undefined,
  },
  {
    code: "mixed-answers",
    when: (s, o) => o.path === "private" && s.name.publicAddresses.length > 0,
    values: (s) => {
      const dropped = s.name.observations.filter((each) => each.class === "public");
      return {
        dropped: [...new Set(dropped.map(({ address }) => address))].join("; "),
        sources: [...new Set(dropped.map(({ from }) => from))].join("; "),
      };
    },
  },
  { code: "resolvers-disagree", when: (s) => disagree(s.name) },
  {
    code: "answers-missing",
    when: (s, _, reason) =>
      s.name.gaps.length > 0 &&
      s.connectTo === undefined && // where a rule leads, DNS has no say
      !["dns-unavailable", "evidence-incomplete", "last-good-address", "global-unresolved"].includes(reason),
  },
  {
    code: "private-address-without-privatelink",
    when: (s, o) => o.path === "private" && s.name.azure && s.name.voucher === "dns" && s.name.vetted.length > 0,
  },
  { code: "hosts-override", when: (s) => s.name.observations.some(({ source }) => source === "hosts") },
  {
    code: "private-zone-missing-record",
    when: (s, _, reason) => s.name.missingRecords.length > 0 && reason !== "private-zone-missing-record",
    values: (s) => ({ servers: serversOf(s.name.missingRecords) }),
  },
  {
    code: "answer-stripped",
    when: (s, _, reason) => s.name.strippedAnswers.length > 0 && reason !== "private-answer-stripped",
    values: (s) => ({ servers: serversOf(s.name.strippedAnswers) }),
  },
  {
    code: "answer-cut",
    when: (s, _, reason) => s.name.cutAnswers.length > 0 && reason !== "answer-cut",
    values: (s) => ({ servers: serversOf(s.name.cutAnswers) }),
  },
  {
    code: "odd-address-dropped",
    when: (s, _, reason) =>
      oddOnes(s.name).length > 0 && reason !== "implausible-address" && reason !== "local-address",
  },
  { code: "ipv6-answer", when: (s) => s.name.azure && s.name.observations.some(({ family }) => family === 6) },
  { code: "last-good-address", when: (_, __, reason) => reason === "last-good-address" },
];
