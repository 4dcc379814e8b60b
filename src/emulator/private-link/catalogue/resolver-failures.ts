import type { NameServerSettings } from "../dns/responder.ts";
import type { DnsTreatment } from "../dns/treatment.ts";
import { DnsZone, wildcardZone } from "../dns/zone.ts";
import {
  type Basis,
  type DnsSight,
  insideNetwork,
  outside,
  row,
  type SightChange,
  type StagedRow,
  unanswered,
} from "./row.ts";
import type { Scene, SceneStandpoint } from "./scene.ts";

const insideWith = (...nameServers: readonly NameServerSettings[]): SceneStandpoint => insideNetwork({ nameServers });

const every = (treatment: DnsTreatment): NameServerSettings => ({ treatments: { "*": treatment } });

/** A row about the name servers, staged for a DPS. */
const dnsRow = (
  id: string,
  parts: { cause: string; basis?: Basis; stage: (scene: Scene) => SceneStandpoint; sees: SightChange },
): StagedRow => row(id, { basis: "observed", kinds: ["dps"], ...parts });

/** A row in which every reply of the only name server is treated in one way, and leads nowhere. */
const treated = (id: string, treatment: DnsTreatment, sight: DnsSight, cause: string): StagedRow =>
  dnsRow(id, { cause, stage: () => insideWith(every(treatment)), sees: { dns: [sight], ...unanswered } });

/** A row in which a forgery stands beside the truth, so that the truth still shows. */
const besieged = (id: string, treatment: DnsTreatment, cause: string): StagedRow =>
  dnsRow(id, { cause, stage: () => insideWith(every(treatment)), sees: {} });

const overrides: readonly StagedRow[] = [
  dnsRow("hosts-file-private", {
    cause: "The hosts file names the private address, and the zone is not linked",
    stage: (scene) => {
      scene.unlinkZones("dps");
      const names = [scene.resource("dps").host().name];
      const address = scene.endpoint("dps").addressOf();
      return insideNetwork({ hosts: [{ address, names }] });
    },
    sees: { dns: ["public-behind-privatelink"] },
  }),
  dnsRow("hosts-file-served", {
    cause: "A local stub resolver answers from a hosts file that names the private address",
    stage: (scene) => {
      scene.unlinkZones("dps");
      const names = [scene.resource("dps").host().name];
      const address = scene.endpoint("dps").addressOf();
      return insideNetwork({ hosts: [{ address, names }], nameServers: [{ servesHosts: true }] });
    },
    sees: { dns: ["private-without-privatelink"] },
  }),
  dnsRow("hosts-file-public", {
    cause: "The hosts file names the public address and hides the private endpoint",
    stage: (scene) => {
      const { name, publicAddress } = scene.resource("dps").host();
      return insideNetwork({ hosts: [{ address: publicAddress, names: [name] }] });
    },
    sees: {},
  }),
  dnsRow("suffix-overridden", {
    cause: "A DNS zone of the owner's own takes the place of the public suffix and names the private address",
    basis: "documented",
    stage: (scene) => {
      const { name } = scene.resource("dps").host();
      const zone = new DnsZone(suffixOf(scene), "ns.corp.example");
      return insideWith({ zones: [zone.set(name, { a: [scene.endpoint("dps").addressOf()] })] });
    },
    sees: { dns: ["private-without-privatelink"] },
  }),
  dnsRow("suffix-shadowed", {
    cause: "A private DNS zone takes the place of the public suffix and lacks the name",
    stage: (scene) => insideWith({ zones: [new DnsZone(suffixOf(scene))] }),
    sees: { dns: ["not-found"], ...unanswered },
  }),
  dnsRow("captive-portal", {
    cause: "A captive portal answers every name with its own address",
    stage: () => insideWith({ zones: [wildcardZone("", "192.168.1.1")] }),
    sees: { dns: ["forged"], tcp: "dropped", application: "none" },
  }),
  dnsRow("search-domain-wildcard", {
    cause: "A search domain has a wildcard, which answers for names that lack their final dot",
    stage: () => insideWith({ zones: [wildcardZone("corp.example", "10.9.9.9")] }),
    sees: {},
  }),
];

const failing: readonly StagedRow[] = [
  treated("server-fails", "servfail", "servfail", "The name server fails"),
  treated("server-refuses", "refused", "refused", "The name server refuses"),
  treated("server-silent", "silent", "silent", "The name server never answers"),
  dnsRow("server-absent", {
    cause: "No name server runs at the configured address",
    stage: () => insideWith({ reach: "nothing" }),
    sees: { dns: ["absent"], ...unanswered },
  }),
  treated(
    "private-answers-stripped",
    "strip-private",
    "address-stripped",
    "Rebind protection takes private addresses out",
  ),
  treated("answer-cut", "cut", "cut", "The answer is truncated, and TCP to the name server is cut"),
  dnsRow("answer-cut-refused", {
    cause: "The answer is truncated, and the name server refuses TCP",
    stage: () => insideWith({ ...every("truncated"), reach: "udp-only" }),
    sees: { dns: ["cut"], ...unanswered },
  }),
  dnsRow("answer-truncated", {
    cause: "The answer is truncated, and TCP has the rest",
    stage: () => insideWith(every("truncated")),
    sees: {},
  }),
];

const disagreeing: readonly StagedRow[] = [
  dnsRow("servers-disagree", {
    cause: "The first name server sees the virtual network, the second the internet",
    stage: () => insideWith({}, { view: "internet" }),
    sees: { dns: ["private", "public-behind-privatelink"] },
  }),
  dnsRow("first-server-public", {
    cause: "The first name server sees the internet, the second the virtual network",
    stage: () => insideWith({ view: "internet" }, {}),
    sees: { dns: ["public-behind-privatelink", "private"] },
  }),
  dnsRow("first-server-silent", {
    cause: "The first name server never answers, the second sees the internet",
    stage: () => insideWith(every("silent"), { view: "internet" }),
    sees: { dns: ["silent", "public-behind-privatelink"] },
  }),
  dnsRow("ipv6-only-network", {
    cause: "The network has no IPv4, and its name server makes up IPv6 addresses (DNS64)",
    stage: () => outside({ nameServers: [{ dns64: "64:ff9b::/96" }] }),
    sees: { dns: ["public-behind-privatelink"] },
  }),
];

const forging: readonly StagedRow[] = [
  besieged("forged-id", "wrong-id-first", "Somebody answers first, with another id"),
  besieged("forged-question", "wrong-question-first", "Somebody answers first, to another question"),
  besieged("forged-query", "not-a-response-first", "Somebody sends a query with records first"),
  besieged("forged-source", "wrong-source-first", "Somebody answers first, from another port"),
  besieged("off-chain-records", "off-chain", "The answer holds records that its question does not lead to"),
  treated("alias-loop", "loop", "unusable", "The aliases go in a circle"),
  treated("alias-chain-endless", "endless-chain", "unusable", "The aliases go on and on"),
  treated("answer-malformed", "malformed", "unusable", "The answer breaks off before its records"),
];

const suffixOf = (scene: Scene): string =>
  scene
    .resource("dps")
    .host()
    .zone.replace(/^privatelink\./, "");

/** What name servers and those around them can do to a device, each with what it then sees of a DPS. */
export const resolverFailures: readonly StagedRow[] = [...overrides, ...failing, ...disagreeing, ...forging];
