import { leaveTargetOpen, mayPinPrivate, pinPrivate, pinTarget, type Rule, refuse, usePublicPath } from "./outcome.ts";
import { goesDirect, hasNoAddress, proxyResolvesNames, wasPrivate } from "./situation.ts";

/**
 * What the network shows of the target, from the best to the worst. First match wins.
 *
 * Private addresses come first, whoever shows them: a private endpoint is known when anybody knows it. Then what is remembered.
 * Then the proxy, whose view nobody here has. Then the worlds without an address, and last those with public addresses, each of
 * which rules the global endpoint out for a reason of its own.
 */
export const pathRules: readonly Rule[] = [
  {
    reason: "private-endpoint",
    when: (s) => mayPinPrivate(s) && s.name.voucher === "privatelink",
    choose: pinPrivate,
  },
  { reason: "hosts-override", when: (s) => mayPinPrivate(s) && s.name.voucher === "hosts", choose: pinPrivate },
  { reason: "private-dns-override", when: mayPinPrivate, choose: pinPrivate },
  {
    reason: "local-address",
    when: (s) => !s.name.azure && s.name.localAddresses.length > 0 && goesDirect(s),
    choose: (s) => pinTarget(s, s.name.localAddresses, "private"),
  },
  {
    reason: "last-good-address",
    when: (s) => s.name.gaps.length > 0 && s.lastGood.length > 0,
    choose: (s) => pinTarget(s, s.lastGood, "private"),
  },
  {
    reason: "private-address-ipv6-only",
    when: (s) => s.name.privateIpv6.length > 0 && goesDirect(s),
    choose: (s) => (s.strict ? refuse() : pinTarget(s, s.name.privateIpv6, "private")),
  },
  {
    reason: "private-downgrade",
    when: (s) => wasPrivate(s) && s.name.publicAddresses.length > 0,
    choose: usePublicPath,
  },
  { reason: "proxied", when: (s) => proxyResolvesNames(s) && !s.strict, choose: leaveTargetOpen },
  {
    reason: "private-zone-missing-record",
    when: (s) => hasNoAddress(s) && s.name.missingRecords.length > 0,
    choose: refuse,
  },
  { reason: "answer-cut", when: (s) => hasNoAddress(s) && s.name.cutAnswers.length > 0, choose: refuse },
  {
    reason: "private-zone-shadows-name",
    when: (s) => hasNoAddress(s) && s.name.shadowingZone !== undefined,
    choose: refuse,
  },
  {
    reason: "private-answer-stripped",
    when: (s) => hasNoAddress(s) && s.name.strippedAnswers.length > 0,
    choose: refuse,
  },
  { reason: "dns-unavailable", when: (s) => hasNoAddress(s) && s.name.gaps.length > 0, choose: refuse },
  { reason: "name-not-found", when: (s) => s.name.notFound, choose: refuse },
  { reason: "name-without-address", when: hasNoAddress, choose: refuse },
  {
    reason: "overlay-address",
    when: (s) => s.name.publicAddresses.length === 0 && s.name.overlayAddresses.length > 0,
    choose: (s) => (s.strict ? refuse() : pinTarget(s, s.name.overlayAddresses, "unknown")),
  },
  { reason: "implausible-address", when: (s) => s.name.publicAddresses.length === 0, choose: refuse },
  {
    reason: "private-zone-public-range",
    when: (s) => s.name.observations.some((each) => each.privatelinkOwned && each.class === "public"),
    choose: usePublicPath,
  },
  {
    reason: "private-endpoint-not-visible",
    when: (s) => s.name.privatelinkNames.length > 0,
    choose: usePublicPath,
  },
  {
    reason: "private-zone-shadows-name",
    when: (s) => s.name.shadowingZone !== undefined,
    choose: usePublicPath,
  },
  {
    reason: "hosts-public-override",
    when: (s) => s.name.observations.some(({ source }) => source === "hosts"),
    choose: usePublicPath,
  },
  { reason: "evidence-incomplete", when: (s) => !s.name.unanimouslyPublic, choose: usePublicPath },
  { reason: "strict-no-private-address", when: (s) => s.strict, choose: refuse },
];
