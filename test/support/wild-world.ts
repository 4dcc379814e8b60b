import { BlockList, isIPv6 } from "node:net";
import fc from "fast-check";
import type { EndpointSettings } from "../../src/endpoint/endpoint-settings.ts";
import type { EndpointEvidence, NameEvidence } from "../../src/endpoint/evidence.ts";
import { emptyMemory, type NetworkMemory } from "../../src/endpoint/network-memory.ts";
import {
  behindProxy,
  dpsHost,
  dpsInZone,
  globalName,
  hour,
  idScope,
  nameEvidence,
  namelessSettings,
  noon,
  settingsOf,
  type ViewName,
  views,
  wasPrivate,
} from "./endpoint-world.ts";

/** A world by its making. What is true of it is known here, without a look at the code under test. */
export interface World {
  /** What each name server sees of the service. */
  readonly seen: readonly ViewName[];
  readonly globalSeen: readonly ViewName[];
  readonly system: NameEvidence["system"];
  /** Addresses that the hosts file gives to the service. */
  readonly hosts: readonly string[];
  readonly proxy: NameEvidence["proxy"];
  /** Where a `connect_to` rule leads. */
  readonly connectTo: string | undefined;
  readonly memory: NetworkMemory;
  readonly settings: EndpointSettings;
}

/** A host outside Azure, which sees what the service sees. */
export const foreignHost = "dps.example";

export const viewNames = Object.keys(views) as ViewName[];
export const privateViews = viewNames.filter((name) => views[name].private);
const publicViews = viewNames.filter((name) => views[name].plainlyPublic);

const anyView = fc.constantFrom(...viewNames);
const publicOnly = fc.array(fc.constantFrom(...publicViews), { minLength: 1, maxLength: 2 });
const anyViews = fc.oneof(
  { weight: 1, arbitrary: fc.array(anyView, { maxLength: 3 }) },
  { weight: 2, arbitrary: fc.tuple(publicOnly, anyView).map(([ordinary, odd]) => [...ordinary, odd]) },
  { weight: 3, arbitrary: anyView.map((name) => [name]) },
);
const anyAddress = fc.constantFrom(
  "10.20.0.5",
  "192.168.1.1",
  "100.64.0.9",
  "20.42.0.10",
  "20.42.0.12",
  "127.0.0.1",
  "198.18.0.7",
  "64:ff9b::142a:a",
  "fd12:3456::1",
  "169.254.169.254",
);
const anySystem = fc.oneof<fc.Arbitrary<NameEvidence["system"]>[]>(
  fc.array(anyAddress, { minLength: 1, maxLength: 2 }).map((addresses) => ({ status: "answered", addresses })),
  fc.constantFrom<NameEvidence["system"]>(
    { status: "not-asked" },
    { status: "not-found" },
    { status: "failed", detail: "EAI_AGAIN" },
  ),
);
const anySighting = fc
  .record({
    age: fc.constantFrom(0, hour, 23 * hour, 25 * hour, 1000 * hour, -hour, -48 * hour),
    address: fc.constantFrom("10.20.0.5", "10.9.9.9", "20.42.0.10", "fd12:3456::1", "127.0.0.1"),
    host: fc.constantFrom(dpsHost, "fabrikam.azure-devices-provisioning.net"),
    scope: fc.constantFrom(idScope, "0ne00FFFFFF"),
  })
  .map(wasPrivate);
const anyMemory = fc.oneof(fc.constant<NetworkMemory>({ sightings: [], damaged: true }), anySighting, anySighting);

/** Settings in which the DPS name may be left out. */
type WildSettings = Omit<EndpointSettings, "dpsName" | "cloud"> & { readonly dpsName: string | undefined };

const anySettings: fc.Arbitrary<WildSettings> = fc.record({
  endpoint: fc.constantFrom("auto", "service", "global", globalName, dpsHost, foreignHost, "10.20.0.5", dpsInZone),
  dpsName: fc.constantFrom(undefined, undefined, "contoso", "global", "a.b"),
  idScope: fc.constant(idScope),
  network: fc.constantFrom("any", "private"),
  dataResidency: fc.constantFrom("any", "strict"),
  allowGlobalFallback: fc.boolean(),
  privateCidrs: fc.constantFrom(["20.42.0.0/16"], ["0.0.0.0/0"]),
});
const openSettings: WildSettings = { ...settingsOf({ allowGlobalFallback: true }), dpsName: "contoso" };
const asSettings = ({ dpsName, ...more }: WildSettings): EndpointSettings =>
  dpsName === undefined ? namelessSettings(more) : settingsOf({ dpsName, ...more });

const wildParts = {
  seen: anyViews,
  globalSeen: fc.array(anyView, { minLength: 1, maxLength: 2 }),
  system: anySystem,
  hosts: fc.array(anyAddress, { minLength: 1, maxLength: 2 }),
  proxy: fc.constantFrom(behindProxy().proxy, behindProxy({ resolvesNames: false }).proxy),
  connectTo: fc.constantFrom("127.0.0.1", "10.1.2.3", "20.42.0.10", "gateway.example", "169.254.169.254"),
  memory: anyMemory,
} satisfies { [Key in Exclude<keyof World, "settings">]: fc.Arbitrary<World[Key]> };

/** A world in which the global endpoint is right: everybody is plainly public. */
export const calmWorld: World = {
  seen: ["public"],
  globalSeen: ["publicOther"],
  system: { status: "not-asked" },
  hosts: [],
  proxy: { applies: false },
  connectTo: undefined,
  memory: emptyMemory,
  settings: asSettings(openSettings),
};
/** Calm worlds, and such in which nobody knows the name and the global endpoint is allowed instead. */
const openWorld: fc.Arbitrary<World> = fc
  .record({
    seen: fc.oneof<fc.Arbitrary<readonly ViewName[]>[]>(publicOnly, fc.constant(["notFound"])),
    globalSeen: publicOnly,
    system: fc.constantFrom<NameEvidence["system"]>(calmWorld.system, {
      status: "answered",
      addresses: ["20.42.0.10"],
    }),
  })
  .map((parts) => ({ ...calmWorld, ...parts }));

/**
 * Worlds from one step away from an open one, where each guard of the decision stands alone, to wholly wild ones: some parts of an
 * open world and of its settings are replaced by wild ones.
 */
export const anyWorld: fc.Arbitrary<World> = fc
  .record({
    open: openWorld,
    wild: fc.record(wildParts),
    settings: anySettings,
    parts: fc.subarray(Object.keys(wildParts) as (keyof typeof wildParts)[], { maxLength: 4 }),
    changes: fc.subarray<keyof WildSettings>(
      ["endpoint", "dpsName", "network", "dataResidency", "allowGlobalFallback", "privateCidrs"],
      { maxLength: 3 },
    ),
  })
  .map(({ open, wild, settings, parts, changes }) => {
    const chosen = Object.fromEntries(changes.map((name) => [name, settings[name]]));
    return {
      ...open,
      ...Object.fromEntries(parts.map((part) => [part, wild[part]])),
      settings: asSettings({ ...openSettings, ...chosen }),
    };
  });

/** The same, for devices that know their DPS and leave the choice to landfall. */
export const anyNamedWorld: fc.Arbitrary<World> = anyWorld.map((world) =>
  withSettings(world, { endpoint: "auto", dpsName: "contoso" }),
);

/** A world with some settings changed. */
export function withSettings(world: World, more: Partial<EndpointSettings>): World {
  return { ...world, settings: { ...world.settings, ...more } };
}

/** Every view by itself: of the service or of a foreign host, with and without strictness and memory. Wild worlds may miss some of these. */
export const plainWorlds: readonly World[] = viewNames.flatMap((view) =>
  (["auto", foreignHost] as const).flatMap((endpoint) =>
    (["any", "private"] as const).flatMap((network) =>
      [emptyMemory, wasPrivate()].map((memory) => ({
        ...withSettings(calmWorld, { endpoint, network, allowGlobalFallback: false }),
        seen: [view],
        memory,
      })),
    ),
  ),
);

/** What a world shows of a name that is seen as the service is. */
export function evidenceAbout(host: string, { seen, system, hosts, proxy, connectTo }: World): NameEvidence {
  return nameEvidence(host, seen, {
    system,
    proxy,
    hosts: hosts.map((address, at) => ({ file: "/etc/hosts", line: at + 1, address, name: host })),
    ...(connectTo === undefined ? {} : { connectTo: { rule: `${host}::${connectTo}:`, host: connectTo } }),
  });
}

/** The evidence in a world. */
export function evidenceOf(world: World): EndpointEvidence {
  const names = [
    evidenceAbout(dpsHost, world),
    evidenceAbout(foreignHost, world),
    ...world.memory.sightings.filter(({ host }) => host !== dpsHost).map(({ host }) => evidenceAbout(host, world)),
    nameEvidence(globalName, world.globalSeen),
  ];
  return { gatheredAt: noon, names, nat64Prefixes: [] };
}

/** Ranges as the platform reads them, for a second opinion. */
function ranges(...texts: string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const text of texts) {
    const [address = "", prefix = ""] = text.split("/");
    list.addSubnet(address, Number(prefix), isIPv6(address) ? "ipv6" : "ipv4");
  }
  return (address) => list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}
const isPrivateIpv4 = ranges("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16");
const isPrivateIpv6 = ranges("fc00::/7", "64:ff9b::a00:0/104", "64:ff9b::ac10:0/108", "64:ff9b::c0a8:0/112");
const isShared = ranges("100.64.0.0/10");
const isListed = ranges("20.42.0.0/16", "64:ff9b::142a:0/112");
export const isMetadata = ranges("169.254.169.254/32", "168.63.129.16/32");
/** This machine, this link, the metadata service. */
export const isLocal = ranges(
  "127.0.0.0/8",
  "0.0.0.0/8",
  "169.254.0.0/16",
  "168.63.129.16/32",
  "::1/128",
  "::/128",
  "fe80::/10",
  "64:ff9b::7f00:0/104",
);

/** Whether a private path is demanded for a registration. */
export function isStrict({ settings: { network, dataResidency } }: World): boolean {
  return network === "private" || dataResidency === "strict";
}

/** The owner lists the public range in which the services of these worlds are. */
export function listsRange({ settings }: World): boolean {
  return settings.privateCidrs.includes("20.42.0.0/16");
}

/** Whether an address is private here; shared address space is where a private zone gives it. */
export function looksPrivate(world: World, address: string): boolean {
  return (
    isPrivateIpv4(address) ||
    isPrivateIpv6(address) ||
    (listsRange(world) && isListed(address)) ||
    (isShared(address) && world.seen.includes("linkedShared"))
  );
}

/** Something in the world shows a private endpoint. */
export function showsPrivate(world: World): boolean {
  return world.seen.some((name) => views[name].private) || observed(world).some((each) => looksPrivate(world, each));
}

/** A private path is remembered for the DPS or the ID scope of the settings, or may be. */
export function remembersPrivate({ memory, settings }: World): boolean {
  return (
    memory.damaged ||
    memory.sightings.some(
      (each) => each.idScope === idScope || (settings.dpsName === "contoso" && each.host === dpsHost),
    )
  );
}

/** Everybody was heard and gave ordinary public addresses. */
export function plainlyPublic({ seen, system, hosts }: World): boolean {
  const systemAgrees =
    system.status === "not-asked" || (system.status === "answered" && system.addresses.every(isListed));
  return seen.length > 0 && seen.every((name) => views[name].plainlyPublic) && systemAgrees && hosts.length === 0;
}

/** Everybody was heard and says that there is no such name. */
export function nowhereFound({ seen, system, hosts }: World): boolean {
  const systemAgrees = system.status === "not-asked" || system.status === "not-found";
  return seen.length > 0 && seen.every((name) => name === "notFound") && systemAgrees && hosts.length === 0;
}

/** Every address in some views; the one IPv4-mapped address among them as what it stands for. */
export function saidBy(seen: readonly ViewName[]): string[] {
  const answers = seen.flatMap((name) => views[name].view(dpsHost));
  const addresses = answers.flatMap((answer) => (answer.addresses ?? []).map(({ address }) => address));
  return addresses.map((address) => (address === "::ffff:7f00:1" ? "127.0.0.1" : address));
}

/** Every address that anybody gives for the service. */
export function observed(world: World): string[] {
  return [...saidBy(world.seen), ...(world.system.status === "answered" ? world.system.addresses : []), ...world.hosts];
}
