import { privatelinkRecord } from "../../endpoint/host-name.ts";
import type { NameFacts } from "../../endpoint/name-facts.ts";
import type { ServerAnswer } from "../../endpoint/server-answer.ts";
import type { CheckCall } from "../check.ts";
import type { Finding } from "../result.ts";
import type { Service } from "../service.ts";
import type { NameFailure } from "./name-failures.ts";

type Found = CheckCall<NameFailure>["found"];

/** What is wrong with the view of a name, most telling first. */
export function judgeName(sight: NameFacts, service: Service, found: Found): Finding[] {
  const hasAddress = sight.observations.length > 0;
  const absent = absences(sight, service, found);
  // Beside an address that another server gives, what one server lacks is a nuisance; alone it is the end of the way.
  if (!hasAddress) return absent.slice(0, 1).map((each) => ({ ...each, status: "failed" }));
  return [...implausible(sight, found), ...exposed(sight, found), ...odd(sight, found), ...absent];
}

/** Why there is no address, or none from some server. */
function absences(sight: NameFacts, service: Service, found: Found): Finding[] {
  const { host, missingRecords, cutAnswers, shadowingZone, strippedAnswers, gaps, observations } = sight;
  const missing = missingRecords[0] && privatelinkRecord(missingRecords[0].terminalOwner);
  const status = "warning";
  return [
    ...(missing === undefined
      ? []
      : [
          found("record-missing", {
            status,
            text: `${serversOf(missingRecords)} uses the private DNS zone ${missing.zone}, which has no record "${missing.record}"`,
            remedy:
              `Ask the owner of the virtual network to create the A record "${missing.record}" in the zone ${missing.zone}, or ` +
              `to attach the zone group to the private endpoint (sub-resource ${service.subResource}).`,
          }),
        ]),
    ...(cutAnswers.length === 0
      ? []
      : [
          found("answer-cut", {
            status,
            text: `the answer of ${serversOf(cutAnswers)} is truncated, and the rest cannot be had over TCP`,
            remedy: `Ask whoever runs the network to open TCP port 53 to ${serversOf(cutAnswers)}.`,
          }),
        ]),
    ...(shadowingZone === undefined || sight.privatelinkNames.length > 0 || sight.vetted.length > 0
      ? []
      : [
          found("zone-shadows", {
            status,
            text: `the private DNS zone ${shadowingZone} answers in the place of the public one, and does not know ${host}`,
          }),
        ]),
    ...(strippedAnswers.length === 0
      ? []
      : [
          found("address-stripped", {
            status,
            text: `${serversOf(strippedAnswers)} answers for ${host} without an address, and without saying that there is none`,
            remedy: `Ask whoever runs ${serversOf(strippedAnswers)} to exempt ${host} from rebind protection.`,
          }),
        ]),
    ...unheard(sight, found),
    ...(observations.length === 0 && sight.notFound
      ? [found("name-not-found", { text: `every configured name server says that ${host} does not exist` })]
      : []),
    ...(observations.length === 0 && !sight.notFound && gaps.length === 0
      ? [found("no-address", { text: `${host} exists, but has no address anywhere` })]
      : []),
  ];
}

/** Answers that are owed and missing, but for those that have a finding of their own. */
function unheard({ gaps, cutAnswers, strippedAnswers }: NameFacts, found: Found): Finding[] {
  const explained = [...cutAnswers, ...strippedAnswers].map(({ server }) => `${server}:`);
  const rest = gaps.filter((gap) => !explained.some((server) => gap.startsWith(server)));
  return rest.length === 0 ? [] : [found("no-answer", { status: "warning", text: unique(rest).join("; ") })];
}

/** Addresses at which no service can be. */
function implausible(sight: NameFacts, found: Found): Finding[] {
  const { azure, host, vetted, publicAddresses, overlayAddresses, privateIpv6, observations } = sight;
  if (!azure || vetted.length > 0 || publicAddresses.length > 0) return [];
  const all = unique(observations.map(({ address, range }) => `${address} (${range})`)).join(", ");
  if (privateIpv6.length > 0) return [found("ipv6-only", { text: `${host} has private IPv6 addresses only: ${all}` })];
  if (overlayAddresses.length > 0) return [found("overlay", { text: `${host} leads to ${all}` })];
  return [found("implausible", { text: `${host} leads to ${all}` })];
}

/** Public addresses where something private shows. */
function exposed(sight: NameFacts, found: Found): Finding[] {
  const { host, vetted, publicAddresses, privatelinkNames, missingRecords, observations } = sight;
  const [owner] = privatelinkNames;
  // A zone that is asked here and lacks the record says more than another server's public answer.
  const isExplained = vetted.length > 0 || missingRecords.length > 0;
  if (isExplained || publicAddresses.length === 0 || owner === undefined) return [];
  const addresses = publicAddresses.join(", ");
  if (observations.some((each) => each.privatelinkOwned && each.class === "public")) {
    return [found("public-range", { text: `${owner} itself has the public address ${addresses}` })];
  }
  const { zone = "" } = privatelinkRecord(owner) ?? {};
  const suffix = host.split(".").slice(1).join(".");
  return [
    found("private-endpoint-not-visible", {
      text: `a private endpoint exists (${owner} is on the way), but this network leads to the public address ${addresses}`,
      remedy:
        `In Azure: ask the owner of the virtual network to link the private DNS zone ${zone} to it, to look for a misspelt ` +
        "zone name, and to see whether the link falls back to the internet for a missing record. On premises: have a " +
        `conditional forwarder for ${suffix} (the public suffix, never privatelink) lead to a resolver in the virtual network.`,
    }),
  ];
}

/** Views that work, and that nobody meant to have. */
function odd(sight: NameFacts, found: Found): Finding[] {
  const { azure, host, vetted, voucher, publicAddresses, observations } = sight;
  const native = observations.filter(({ family, ipv4 }) => family === 6 && ipv4 === undefined);
  const views = unique(observations.map(({ from, address, class: kind }) => `${from}: ${address} (${kind})`)).join(
    "; ",
  );
  return [
    ...(vetted.length > 0 && publicAddresses.length > 0 ? [found("servers-disagree", { text: views })] : []),
    ...(azure && vetted.length > 0 && voucher === "dns"
      ? [
          found("no-privatelink", {
            text: `${host} has the private address ${vetted.join(", ")}, without a privatelink zone`,
          }),
        ]
      : []),
    ...(azure && native.length > 0 && (vetted.length > 0 || publicAddresses.length > 0)
      ? [
          found("ipv6", {
            text: `${host} has IPv6 addresses here: ${unique(native.map(({ address }) => address)).join(", ")}`,
          }),
        ]
      : []),
  ];
}

function serversOf(answers: readonly ServerAnswer[]): string {
  return unique(answers.map(({ server }) => server)).join(", ");
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
