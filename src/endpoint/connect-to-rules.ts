import { classifyAddress } from "./address-class.ts";
import { leaveTargetOpen, type Outcome, type Rule, refuse } from "./outcome.ts";
import { parsePrivateCidrs } from "./private-cidrs.ts";
import type { Situation } from "./situation.ts";

/** A rule of `connect_to` stands above DNS, but not above a demand for a private path. */
export const connectToRules: readonly Rule[] = [
  {
    reason: "connect-to-forbidden-by-strict",
    when: (s) => s.strict && s.connectTo !== undefined && !leadsToPrivate(s),
    choose: refuse,
  },
  { reason: "connect-to", when: (s) => s.connectTo !== undefined, choose: useConnectTo },
];

function leadsToPrivate({ connectTo, settings }: Situation): boolean {
  const context = { privateCidrs: parsePrivateCidrs(settings.privateCidrs).cidrs };
  const found = classifyAddress((connectTo?.host ?? "").replace(/^\[|\]$/g, ""), context);
  return found?.class === "private" || found?.range === "loopback";
}

function useConnectTo(s: Situation): Outcome {
  if (s.target !== undefined) return leaveTargetOpen(s);
  return { kind: "global", host: s.global.host, path: "unknown", proxy: "allowed" };
}
