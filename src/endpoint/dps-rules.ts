import { connectToRules } from "./connect-to-rules.ts";
import { serviceHost } from "./endpoint-settings.ts";
import { isAddressLike, isHostName, isPrivatelinkName } from "./host-name.ts";
import { globalAddresses, type Rule, refuse, useGlobal, usePublicPath } from "./outcome.ts";
import { pathRules } from "./path-rules.ts";
import { proxyResolvesNames, type Situation, wasPrivate } from "./situation.ts";

/** Only the global endpoint is left, or wanted. */
const aimsAtGlobal = (s: Situation): boolean => s.target === undefined || s.target === s.global.host;

const globalIsDialable = (s: Situation): boolean =>
  proxyResolvesNames(s.global) || globalAddresses(s.global.name).length > 0;

/** What the settings and the memory decide without a look at the network. */
const openingRules: readonly Rule[] = [
  {
    reason: "explicit-host-invalid",
    when: (s) => s.wish === "host" && (isAddressLike(s.settings.endpoint) || !isHostName(s.settings.endpoint)),
    choose: refuse,
  },
  {
    reason: "explicit-host-privatelink",
    when: (s) => s.wish === "host" && isPrivatelinkName(s.settings.endpoint),
    choose: refuse,
  },
  { reason: "explicit-global-forbidden-by-strict", when: (s) => s.wish === "global" && s.strict, choose: refuse },
  {
    reason: "dps-name-invalid",
    when: (s) =>
      (s.wish === "auto" || s.wish === "service") &&
      s.settings.dpsName !== undefined &&
      serviceHost(s.settings) === undefined,
    choose: refuse,
  },
  { reason: "strict-needs-dps-name", when: (s) => s.strict && s.target === undefined, choose: refuse },
  { reason: "service-needs-dps-name", when: (s) => s.wish === "service" && s.target === undefined, choose: refuse },
  { reason: "memory-unreadable", when: (s) => s.memory.damaged && s.target === undefined, choose: refuse },
];

const globalRules: readonly Rule[] = [
  { reason: "global-unresolved", when: (s) => aimsAtGlobal(s) && !globalIsDialable(s), choose: refuse },
  { reason: "explicit-global", when: (s) => s.wish === "global", choose: useGlobal },
  { reason: "no-dps-name", when: (s) => s.target === undefined, choose: useGlobal },
];

/** The one case in which a missing name may lead to the global endpoint: the owner allowed it, and nothing was ever private. */
const fallbackRules: readonly Rule[] = [
  {
    reason: "global-fallback",
    when: (s) =>
      s.wish === "auto" &&
      s.settings.allowGlobalFallback &&
      s.name.notFound &&
      !s.strict &&
      !s.name.knownPrivate &&
      !wasPrivate(s) &&
      !s.memory.damaged &&
      !proxyResolvesNames(s) &&
      globalIsDialable(s),
    choose: useGlobal,
  },
];

/** Nobody showed anything private, everybody was heard, and only public addresses were given. */
const closingRules: readonly Rule[] = [
  { reason: "explicit", when: (s) => s.wish === "host", choose: usePublicPath },
  { reason: "service-requested", when: (s) => s.wish === "service", choose: usePublicPath },
  { reason: "memory-unreadable", when: (s) => s.memory.damaged, choose: usePublicPath },
  { reason: "global-unresolved", when: (s) => !globalIsDialable(s), choose: refuse },
  { reason: "public-only", when: () => true, choose: useGlobal },
];

/** The decision for a registration, in order: first match wins. */
export const dpsRules: readonly Rule[] = [
  ...openingRules,
  ...connectToRules,
  ...globalRules,
  ...fallbackRules,
  ...pathRules,
  ...closingRules,
];
