import { inIpv4Range, parseIpv4Range } from "./ipv4.ts";
import { rejected } from "./rejected.ts";

/** One IP filter rule of a DPS or a hub. */
export interface IpFilterRule {
  readonly name: string;
  readonly action: "accept" | "reject";
  /** `62.96.14.0/24`, or one address. */
  readonly range: string;
}

/** Throws `emulator.rejected` for a rule whose range cannot be read, or whose name is taken. */
export function checkIpFilter(rules: readonly IpFilterRule[]): void {
  const names = new Set<string>();
  for (const { name, range } of rules) {
    if (parseIpv4Range(range) === undefined) throw rejected(`IP filter rule ${name}: expected a range, got "${range}"`);
    if (names.has(name)) throw rejected(`IP filter rule ${name} exists already`);
    names.add(name);
  }
}

/** The rules in order, the first that matches decides; a client that none matches is accepted. */
export function isAcceptedBy(rules: readonly IpFilterRule[], from: string): boolean {
  for (const { action, range } of rules) {
    const parsed = parseIpv4Range(range);
    if (parsed !== undefined && inIpv4Range(from, parsed)) return action === "accept";
  }
  return true;
}
