import { azureHost, type CloudName, cloudOfIdScope, clouds } from "./clouds.ts";
import { privatelinkRecord } from "./host-name.ts";
import type { NameFacts, Observation } from "./name-facts.ts";
import type { Outcome } from "./outcome.ts";
import type { ServerAnswer } from "./server-answer.ts";
import { expectedCloud, type Situation } from "./situation.ts";
import type { TextValues } from "./text-template.ts";

/** The world at hand in words: what the places in the texts of reasons and warnings are filled with. */
export function textValues(s: Situation, outcome: Outcome): TextValues {
  const { settings, name, proxy } = s;
  const views = viewsOf(name);
  return {
    ...identityValues(s),
    ...addressValues(name, outcome),
    ...zoneValues(name),
    ...memoryValues(s),
    endpoint: s.hub?.assigned ?? settings.endpoint,
    dpsName: settings.dpsName,
    strictness: settings.network === "private" ? 'network = "private"' : 'data_residency = "strict"',
    rule: s.connectTo?.rule,
    redirect: s.connectTo?.host,
    gaps: list(name.gaps),
    globalGaps: list(s.global.name.gaps, "none was given"),
    doubts: views,
    views,
    known: list(
      s.service?.vetted.length ? s.service.vetted : [...name.vetted, ...(s.service ?? name).privatelinkNames],
      "remembered",
    ),
    ...(proxy.applies ? { proxy: proxy.proxy, proxySource: proxy.source } : {}),
  };
}

function identityValues(s: Situation): TextValues {
  const host = s.target ?? s.global.host;
  const suffix = s.name.azure ? `.${host.split(".").slice(1).join(".")}` : host;
  return {
    host,
    suffix,
    global: s.global.host,
    idScope: s.settings.idScope,
    scopeCloud: titleOf(cloudOfIdScope(s.settings.idScope)),
    hostCloud: titleOf(azureHost(host)?.cloud),
    expectedCloud: titleOf(expectedCloud(s)),
  };
}

function titleOf(cloud: CloudName | undefined): string {
  return cloud === undefined ? "no Azure cloud" : clouds[cloud].title;
}

function addressValues(name: NameFacts, outcome: Outcome): TextValues {
  const inSight = [name.publicAddresses, name.overlayAddresses, name.privateIpv6].find((some) => some.length > 0);
  const addresses = outcome.addresses ?? inSight ?? [];
  const hosts = name.observations.filter(({ source }) => source === "hosts");
  const isDialled = ({ address }: Observation): boolean => addresses.includes(address);
  return {
    addresses: list(addresses),
    sources: list(name.observations.filter(isDialled).map(({ from }) => from)),
    hostsLines: list(hosts.map(({ from }) => from)),
    hostsAddresses: list(hosts.map(({ address }) => address)),
    odd: list(
      oddOnes(name).map(({ address, range, from }) => `${address} (${range}, from ${from})`),
      "no address at all",
    ),
    ipv6: list(name.observations.filter(({ family }) => family === 6).map(({ address }) => address)),
  };
}

/** The observations that no service can have. */
export function oddOnes({ observations }: NameFacts): Observation[] {
  return observations.filter((each) => each.class === "local" || (each.class === "reserved" && !each.fakeIp));
}

function zoneValues(name: NameFacts): TextValues {
  const owner = name.missingRecords[0]?.terminalOwner ?? name.privatelinkNames[0];
  const split = owner === undefined ? undefined : privatelinkRecord(owner);
  const troubled = [name.cutAnswers, name.missingRecords, name.strippedAnswers].find((some) => some.length > 0) ?? [];
  return {
    owner,
    zone: split?.zone,
    record: split?.record,
    shadowingZone: name.shadowingZone,
    servers: serversOf(troubled),
  };
}

/** The servers of some answers, as a list. */
export function serversOf(answers: readonly ServerAnswer[]): string {
  return list(answers.map(({ server }) => server));
}

function memoryValues({ memory: { sighting }, now }: Situation): TextValues {
  if (sighting === undefined) return {};
  return {
    remembered: sighting.host,
    since: new Date(sighting.firstSeen).toISOString(),
    until: new Date(sighting.lastSeen).toISOString(),
    age: ageOf(Math.abs(now - sighting.lastSeen)),
  };
}

function ageOf(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** Who gives what, one clause for each source. */
function viewsOf({ observations, denials, gaps }: NameFacts): string {
  const sources = unique(observations.map(({ from }) => from));
  const given = sources.map((source) => {
    const addresses = observations
      .filter(({ from }) => from === source)
      .map((each) => `${each.address} (${each.class})`);
    return `${source}: ${unique(addresses).join(", ")}`;
  });
  return list([...given, ...denials, ...gaps]);
}

function list(texts: readonly string[], whenEmpty = "none"): string {
  return texts.length === 0 ? whenEmpty : unique(texts).join("; ");
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
