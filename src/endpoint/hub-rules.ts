import { azureHost } from "./clouds.ts";
import { connectToRules } from "./connect-to-rules.ts";
import { isHostName, isPrivatelinkName } from "./host-name.ts";
import { type Rule, refuse, usePublicPath } from "./outcome.ts";
import { pathRules } from "./path-rules.ts";
import { expectedCloud, type Situation } from "./situation.ts";

const hubCloud = ({ target }: Situation) => azureHost(target ?? "")?.cloud;

/** The assigned name comes from the network, so it is looked at before it is looked up. */
export const hubNameRules: readonly Rule[] = [
  {
    reason: "hub-name-invalid",
    when: (s) => !isHostName(s.target ?? "") || isPrivatelinkName(s.target ?? ""),
    choose: refuse,
  },
  {
    reason: "cross-cloud",
    when: (s) => expectedCloud(s) !== undefined && hubCloud(s) !== undefined && hubCloud(s) !== expectedCloud(s),
    choose: refuse,
  },
  {
    reason: "hub-outside-azure",
    when: (s) => expectedCloud(s) !== undefined && azureHost(s.target ?? "")?.service !== "hub",
    choose: refuse,
  },
];

/** The decision for an assigned hub, in order: first match wins. There is no global endpoint of hubs. */
export const hubRules: readonly Rule[] = [
  ...hubNameRules,
  ...connectToRules,
  ...pathRules,
  { reason: "hub-public", when: () => true, choose: usePublicPath },
];
