import type { EndpointKind, EndpointPath } from "./endpoint-decision.ts";
import type { ReasonCode } from "./reasons.ts";
import { goesDirect, proxyResolvesNames, type Situation } from "./situation.ts";

/** What a rule makes of a situation; the reason and the warnings are put to it later. */
export interface Outcome {
  readonly kind: EndpointKind;
  readonly host?: string;
  readonly addresses?: readonly string[];
  readonly path: EndpointPath;
  readonly proxy: "allowed" | "never";
}

/** One line of the decision: when it applies, and what follows. */
export interface Rule {
  readonly reason: ReasonCode;
  readonly when: (situation: Situation) => boolean;
  readonly choose: (situation: Situation) => Outcome;
}

/** Nothing is dialled. */
export const refuse = (): Outcome => ({ kind: "none", path: "unknown", proxy: "never" });

/** The target at these addresses and no others. A pinned address is never handed to a proxy that resolves names. */
export function pinTarget(situation: Situation, addresses: readonly string[], path: EndpointPath): Outcome {
  const { kind, target, proxy, strict } = situation;
  if (target === undefined || addresses.length === 0) return refuse();
  const carries = proxy.applies && !proxy.resolvesNames && !strict;
  return { kind, host: target, addresses, path, proxy: carries ? "allowed" : "never" };
}

/** The target, by name, through whatever resolves the name: a proxy or a `connect_to` rule. */
export function leaveTargetOpen({ kind, target, strict }: Situation): Outcome {
  if (target === undefined) return refuse();
  return { kind, host: target, path: "unknown", proxy: strict ? "never" : "allowed" };
}

/** The target at its private addresses. */
export const pinPrivate = (situation: Situation): Outcome => pinTarget(situation, situation.name.vetted, "private");

/** The target over the internet: at the observed public addresses, or through the proxy. Never when only a private path will do. */
export function usePublicPath(situation: Situation): Outcome {
  if (situation.strict) return refuse();
  if (proxyResolvesNames(situation)) return leaveTargetOpen(situation);
  return pinTarget(situation, situation.name.publicAddresses, "public");
}

/** The global endpoint at its observed addresses, or through the proxy or `connect_to` rule that applies to it. */
export function useGlobal({ global, kind, target }: Situation): Outcome {
  const dialled = { kind: target === global.host ? kind : ("global" as const), host: global.host };
  if (proxyResolvesNames(global)) return { ...dialled, path: "unknown", proxy: "allowed" };
  const addresses = globalAddresses(global.name);
  if (addresses.length === 0) return refuse();
  const proxy = global.proxy.applies ? "allowed" : "never";
  return { ...dialled, addresses, path: global.name.publicAddresses.length > 0 ? "public" : "unknown", proxy };
}

/** What the global endpoint may be dialled at: its public addresses, else whatever a filter or overlay puts in their place. */
export function globalAddresses(name: Situation["global"]["name"]): readonly string[] {
  const substitutes = [...name.vetted, ...name.overlayAddresses];
  return name.publicAddresses.length > 0 ? name.publicAddresses : substitutes;
}

/** Whether the private addresses in sight may be used: see {@link goesDirect}. */
export function mayPinPrivate(situation: Situation): boolean {
  return situation.name.vetted.length > 0 && goesDirect(situation);
}
