import { BlockList, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideEndpoint, decideHub } from "../../../src/endpoint/decision.ts";
import type { EndpointDecision } from "../../../src/endpoint/endpoint-decision.ts";
import type { EndpointSettings } from "../../../src/endpoint/endpoint-settings.ts";
import type { EndpointEvidence, NameEvidence } from "../../../src/endpoint/evidence.ts";
import { emptyMemory, type NetworkMemory } from "../../../src/endpoint/network-memory.ts";
import { type ReasonCode, reasons } from "../../../src/endpoint/reasons.ts";
import {
  behindProxy,
  dpsHost,
  globalName,
  hour,
  hubHost,
  idScope,
  nameEvidence,
  namelessSettings,
  noon,
  settingsOf,
  type ViewName,
  views,
  wasPrivate,
} from "../../support/endpoint-world.ts";

/** A world by its making. What is true of it is known here without a look at the code under test. */
interface World {
  readonly seen: readonly ViewName[];
  readonly globalSeen: readonly ViewName[];
  readonly system: NameEvidence["system"];
  readonly hosts: readonly string[];
  readonly proxy: NameEvidence["proxy"];
  readonly memory: NetworkMemory;
  readonly settings: EndpointSettings;
}

const viewNames = Object.keys(views) as ViewName[];
const [privateViews, publicViews] = [
  viewNames.filter((name) => views[name].private),
  viewNames.filter((name) => views[name].plainlyPublic),
];
/** Worlds in which everybody shows the same kind, and wild ones. */
const anyViews = fc.oneof(
  fc.array(fc.constantFrom(...viewNames), { maxLength: 4 }),
  fc.array(fc.constantFrom(...publicViews), { minLength: 1, maxLength: 3 }),
  fc
    .tuple(fc.constantFrom(...viewNames), fc.integer({ min: 1, max: 3 }))
    .map(([name, count]) => Array<ViewName>(count).fill(name)),
  fc
    .tuple(fc.array(fc.constantFrom(...publicViews), { minLength: 1, maxLength: 3 }), fc.constantFrom(...viewNames))
    .map(([all, odd]) => [...all, odd]),
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
const anySystem: fc.Arbitrary<NameEvidence["system"]> = fc.oneof(
  fc.constant({ status: "not-asked" } as const),
  fc.array(anyAddress, { minLength: 1, maxLength: 2 }).map((addresses) => ({ status: "answered", addresses }) as const),
  fc.constant({ status: "answered", addresses: ["20.42.0.10"] } as const),
  fc.constant({ status: "not-found" } as const),
  fc.constant({ status: "failed", detail: "EAI_AGAIN" } as const),
);
const anyMemory: fc.Arbitrary<NetworkMemory> = fc.oneof(
  fc.constant(emptyMemory),
  fc.constant<NetworkMemory>({ sightings: [], damaged: true }),
  fc
    .record({
      age: fc.constantFrom(0, hour, 23 * hour, 25 * hour, 1000 * hour, -hour, -48 * hour),
      address: fc.constantFrom("10.20.0.5", "10.9.9.9", "20.42.0.10", "fd12:3456::1", "127.0.0.1"),
      host: fc.constantFrom(dpsHost, "fabrikam.azure-devices-provisioning.net"),
      scope: fc.constantFrom(idScope, "0ne00FFFFFF"),
    })
    .map(wasPrivate),
);
const anySettings: fc.Arbitrary<EndpointSettings> = fc
  .record({
    endpoint: fc.oneof(
      { weight: 4, arbitrary: fc.constant("auto") },
      { weight: 3, arbitrary: fc.constantFrom("service", "global", dpsHost, globalName, "10.20.0.5") },
    ),
    named: fc.boolean(),
    network: fc.constantFrom("any", "any", "private"),
    dataResidency: fc.constantFrom("any", "any", "strict"),
    allowGlobalFallback: fc.boolean(),
    privateCidrs: fc.constantFrom([], [], ["20.42.0.0/16"], ["0.0.0.0/0"]),
  } as const)
  .map(({ named, ...more }) => (named ? settingsOf(more) : namelessSettings(more)));
const wildWorld: fc.Arbitrary<World> = fc.record({
  seen: anyViews,
  globalSeen: fc.array(fc.constantFrom(...viewNames), { minLength: 1, maxLength: 2 }),
  system: anySystem,
  hosts: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, fc.array(anyAddress, { minLength: 1, maxLength: 2 })),
  proxy: fc.constantFrom(
    { applies: false } as const,
    { applies: false } as const,
    behindProxy().proxy,
    behindProxy({ resolvesNames: false }).proxy,
  ),
  memory: anyMemory,
  settings: anySettings,
});
/** Worlds in which a missing name may lead to the global endpoint, for it is a rare one among wild worlds. */
const fallbackWorld = wildWorld.map((world): World => {
  const settings = { ...settingsOf(), ...world.settings, endpoint: "auto", allowGlobalFallback: true };
  return { ...world, settings, seen: ["notFound"], globalSeen: ["public"] };
});
const anyWorld = fc.oneof({ weight: 5, arbitrary: wildWorld }, { weight: 1, arbitrary: fallbackWorld });
const namedAuto = anyWorld.map((world) => ({
  ...world,
  settings: { ...settingsOf(), ...world.settings, endpoint: "auto" },
}));

const aboutService = ({ seen, system, hosts, proxy }: World, host = dpsHost): NameEvidence =>
  nameEvidence(host, seen, {
    system,
    proxy,
    hosts: hosts.map((address, at) => ({ file: "/etc/hosts", line: at + 1, address, name: host })),
  });
const evidenceOf = (world: World): EndpointEvidence => ({
  gatheredAt: noon,
  names: [aboutService(world), nameEvidence(globalName, world.globalSeen)],
  nat64Prefixes: [],
});
const decide = (world: World): EndpointDecision => decideEndpoint(world.settings, evidenceOf(world), world.memory);
const decideForHub = (world: World, dpsPath: "private" | "public" = "private"): EndpointDecision =>
  decideHub(
    world.settings,
    { host: hubHost, dps: { host: dpsHost, path: dpsPath } },
    { ...evidenceOf(world), names: [aboutService(world, hubHost)] },
    world.memory,
  );

/** Ranges as the platform reads them, for a second opinion. */
const blockList = (...ranges: string[]): BlockList => {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", prefix = ""] = range.split("/");
    list.addSubnet(address, Number(prefix), isIPv6(address) ? "ipv6" : "ipv4");
  }
  return list;
};
const inList = (list: BlockList, address: string): boolean => list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
const privateIpv4 = blockList("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16");
const privateIpv6 = blockList("fc00::/7", "64:ff9b::a00:0/104", "64:ff9b::ac10:0/108", "64:ff9b::c0a8:0/112");
const shared = blockList("100.64.0.0/10");
const neverForAzure = blockList(
  "127.0.0.0/8",
  "0.0.0.0/8",
  "169.254.0.0/16",
  "168.63.129.16/32",
  "::1/128",
  "::/128",
  "fe80::/10",
  "64:ff9b::7f00:0/104",
);
const listed = blockList("20.42.0.0/16");

const isStrict = ({ network, dataResidency }: EndpointSettings): boolean =>
  network === "private" || dataResidency === "strict";
const listsRange = ({ settings }: World): boolean => settings.privateCidrs.includes("20.42.0.0/16");
const looksPrivate = (world: World, address: string): boolean =>
  inList(privateIpv4, address) ||
  inList(privateIpv6, address) ||
  (listsRange(world) && (inList(listed, address) || address === "64:ff9b::142a:a")) ||
  (inList(shared, address) && world.seen.includes("linkedShared"));
const fromSystem = ({ system }: World): readonly string[] => (system.status === "answered" ? system.addresses : []);
/** Something in the world shows a private endpoint. */
const showsPrivate = (world: World): boolean =>
  world.seen.some((name) => views[name].private) || observed(world).some((each) => looksPrivate(world, each));
const remembersPrivate = ({ memory, settings }: World): boolean =>
  memory.damaged ||
  memory.sightings.some(
    (each) => each.idScope === idScope || (settings.dpsName !== undefined && each.host === dpsHost),
  );
/** Everybody was heard and gave ordinary public addresses. */
const plainlyPublic = (world: World): boolean =>
  world.seen.length > 0 &&
  world.seen.every((name) => views[name].plainlyPublic) &&
  (world.system.status === "not-asked" ||
    (world.system.status === "answered" &&
      world.system.addresses.every((each) => each.startsWith("20.42.") || each === "64:ff9b::142a:a"))) &&
  world.hosts.length === 0;
const saidBy = (seen: readonly ViewName[], host: string): string[] =>
  seen.flatMap((name) =>
    views[name].view(host).flatMap((answer) => (answer.addresses ?? []).map(({ address }) => address)),
  );
const observed = (world: World): string[] => [...saidBy(world.seen, dpsHost), ...fromSystem(world), ...world.hosts];
const isGlobal = ({ host }: EndpointDecision): boolean => host === globalName;

const holds = (worlds: fc.Arbitrary<World>, claim: (world: World) => void): void => {
  fc.assert(fc.property(worlds, claim), { numRuns: 200 });
};

describe("in every world, the global endpoint", () => {
  test("is never chosen when only a private path will do", () => {
    holds(anyWorld, (world) => {
      if (isStrict(world.settings)) expect(isGlobal(decide(world))).toBe(false);
    });
  });

  test("is never chosen when a private endpoint is known", () => {
    holds(namedAuto, (world) => {
      if (showsPrivate(world)) expect(isGlobal(decide(world))).toBe(false);
    });
  });

  test("is never chosen when the path was private before, with or without a DPS name", () => {
    holds(anyWorld, (world) => {
      if (world.settings.endpoint === "auto" && remembersPrivate(world)) expect(isGlobal(decide(world))).toBe(false);
    });
  });

  test("is chosen only when everybody was heard and is plainly public, or when a missing name may lead to it", () => {
    holds(namedAuto, (world) => {
      const decision = decide(world);
      if (!isGlobal(decision)) return;
      const allowed =
        world.settings.allowGlobalFallback && world.seen.length > 0 && world.seen.every((name) => name === "notFound");
      expect(plainlyPublic(world) || allowed).toBe(true);
    });
  });

  test("is chosen for a device that knows its DPS when all is plainly public", () => {
    holds(
      namedAuto.map((world) => ({ ...world, globalSeen: ["public"] as const })),
      (world) => {
        const ordinary =
          plainlyPublic(world) &&
          !isStrict(world.settings) &&
          !remembersPrivate(world) &&
          !world.proxy.applies &&
          !listsRange(world);
        if (ordinary) expect(decide(world)).toMatchObject({ kind: "global", reason: "public-only" });
      },
    );
  });

  test("named by the owner is obeyed outside strictness, loudly when a private endpoint is known or remembered", () => {
    holds(
      anyWorld.map((world) => ({
        ...world,
        settings: {
          ...settingsOf(),
          ...world.settings,
          endpoint: globalName,
          ...({ network: "any", dataResidency: "any" } as const),
        },
      })),
      (world) => {
        const decision = decide(world);
        if (decision.kind === "none") {
          expect(decision.reason).toBe("global-unresolved");
          return;
        }
        expect(decision).toMatchObject({ kind: "explicit", host: globalName });
        const loud = decision.warnings.some(({ code }) => code === "global-despite-private");
        expect(loud).toBe(showsPrivate(world) || remembersPrivate(world));
      },
    );
  });
});

describe("in every world, the addresses of a decision", () => {
  test("were all observed for that very name, or remembered as private", () => {
    holds(anyWorld, (world) => {
      const { host, addresses = [], kind } = decide(world);
      if (kind === "none") {
        expect([host, addresses]).toEqual([undefined, []]);
        return;
      }
      const known = isGlobal(decide(world))
        ? saidBy(world.globalSeen, globalName)
        : [...observed(world), ...world.memory.sightings.flatMap((each) => each.addresses)];
      for (const address of addresses) expect(known).toContain(address);
    });
  });

  test("are there, unless somebody else resolves the name", () => {
    holds(anyWorld, (world) => {
      const { kind, addresses } = decide(world);
      if (kind === "none") return;
      if (addresses === undefined) expect(world.proxy).toMatchObject({ applies: true, resolvesNames: true });
      else expect(addresses.length).toBeGreaterThan(0);
    });
  });

  test("are private, and led by IPv4, when only a private path will do", () => {
    holds(anyWorld, (world) => {
      const decision = decide(world);
      if (!isStrict(world.settings) || decision.kind === "none") return;
      expect(decision.addresses?.[0]).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      for (const address of decision.addresses ?? [])
        expect([address, looksPrivate(world, address)]).toEqual([address, true]);
      expect(decision).toMatchObject({ path: "private", proxy: "never" });
    });
  });

  test("are private in a decision that calls its path private", () => {
    holds(anyWorld, (world) => {
      const { path, addresses = [] } = decide(world);
      if (path === "private")
        for (const address of addresses) expect([address, looksPrivate(world, address)]).toEqual([address, true]);
    });
  });

  test("are never those of this machine, this link or a metadata service", () => {
    holds(anyWorld, (world) => {
      for (const address of decide(world).addresses ?? [])
        expect([address, inList(neverForAzure, address)]).toEqual([address, false]);
    });
  });

  test("are the private ones wherever private IPv4 addresses are in sight and nothing hides them", () => {
    holds(namedAuto, (world) => {
      const inSight = observed(world).some((each) => !isIPv6(each) && looksPrivate(world, each));
      if (inSight && !world.proxy.applies) expect(decide(world)).toMatchObject({ kind: "service", path: "private" });
    });
  });

  test("are never remembered ones that are older than a day", () => {
    holds(anyWorld, (world) => {
      const [sighting] = world.memory.sightings;
      if (sighting === undefined || Math.abs(noon - sighting.lastSeen) <= 24 * hour) return;
      const dialled = decide(world).addresses ?? [];
      expect(
        dialled.filter(
          (each) =>
            sighting.addresses.includes(each) &&
            ![...observed(world), ...saidBy(world.globalSeen, globalName)].includes(each),
        ),
      ).toEqual([]);
    });
  });
});

describe("in every world, less knowledge never opens the global endpoint", () => {
  test("one more name server, whatever it says", () => {
    const more = fc.constantFrom(...viewNames);
    fc.assert(
      fc.property(namedAuto, more, (world, another) => {
        if (world.seen.length === 0 || isGlobal(decide(world))) return;
        expect(isGlobal(decide({ ...world, seen: [...world.seen, another] }))).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test("one more name server that fails or shows something private", () => {
    const more = fc.constantFrom<ViewName>(...privateViews, "silent", "refused", "loop", "cut", "stripped");
    fc.assert(
      fc.property(namedAuto, more, (world, another) => {
        expect(isGlobal(decide({ ...world, seen: [another, ...world.seen] }))).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test("answers that were never given", () => {
    fc.assert(
      fc.property(namedAuto, fc.nat(), (world, which) => {
        const evidence = evidenceOf(world);
        const [service, ...rest] = evidence.names;
        if (service === undefined || service.answers.length === 0) return;
        const answers = service.answers.toSpliced(which % service.answers.length, 1);
        const decision = decideEndpoint(
          world.settings,
          { ...evidence, names: [{ ...service, answers }, ...rest] },
          world.memory,
        );
        expect(isGlobal(decision)).toBe(false);
      }),
    );
  });

  test("a failed answer that carries addresses or aliases all the same", () => {
    holds(namedAuto, (world) => {
      const evidence = evidenceOf(world);
      const forged = evidence.names.map((name) => ({
        ...name,
        answers: name.answers.map((answer) =>
          ["loop", "chain-too-long", "malformed", "timeout", "unreachable"].includes(answer.failure ?? "")
            ? { ...answer, chain: ["x.privatelink.example.net"], addresses: [{ address: "10.66.0.66", ttl: 1 }] }
            : answer,
        ),
      }));
      const decision = decideEndpoint(world.settings, { ...evidence, names: forged }, world.memory);
      expect(decision.addresses).toEqual(decide(world).addresses);
      expect(decision.reason).toBe(decide(world).reason);
    });
  });
});

describe("in every world, the decision", () => {
  test("does not depend on the spelling of names, nor on the order of the name servers", () => {
    holds(anyWorld, (world) => {
      const { settings } = world;
      const spelled: EndpointSettings = {
        ...settings,
        endpoint: settings.endpoint.includes("azure") ? `${settings.endpoint.toUpperCase()}.` : settings.endpoint,
        ...(settings.dpsName === undefined ? {} : { dpsName: `${dpsHost.toUpperCase()}.` }),
      };
      const evidence = evidenceOf({ ...world, seen: world.seen.toReversed() });
      const shouted = {
        ...evidence,
        names: evidence.names.map((name) => ({
          ...name,
          host: `${name.host.toUpperCase()}.`,
          answers: name.answers.map((answer) => ({
            ...answer,
            chain: answer.chain.map((alias) => alias.toUpperCase()),
            terminalOwner: answer.terminalOwner.toUpperCase(),
          })),
        })),
      };
      const [one, other] = [decide(world), decideEndpoint(spelled, shouted, world.memory)];
      const essence = ({ kind, host, addresses, reason, path, proxy }: EndpointDecision) => ({
        kind,
        host,
        reason,
        path,
        proxy,
        addresses: addresses?.toSorted(),
      });
      expect(essence(other)).toEqual(essence(one));
    });
  });

  test("has texts without open places, and is made without touching what it is made from", () => {
    const freeze = <T>(value: T): T => {
      if (typeof value === "object" && value !== null) {
        Object.freeze(value);
        Object.values(value).forEach(freeze);
      }
      return value;
    };
    holds(anyWorld, (world) => {
      for (const decision of [
        decideEndpoint(freeze(world.settings), freeze(evidenceOf(world)), freeze(world.memory)),
        decideForHub(world),
      ]) {
        const texts = [
          decision.text,
          decision.advice,
          ...decision.warnings.flatMap(({ text, remedy }) => [text, remedy]),
        ];
        for (const text of texts) expect(text).not.toMatch(/\{\w+\}|undefined|\[object/);
      }
    });
  });

  test("comes from every part of the table", () => {
    const found = new Set<ReasonCode>();
    for (const world of fc.sample(anyWorld, { numRuns: 2500, seed: 1 })) {
      found.add(decide(world).reason);
      found.add(decideForHub(world).reason);
    }
    const never = (Object.keys(reasons) as ReasonCode[]).filter((reason) => !found.has(reason));
    // What needs settings or names that these worlds do not have; each has a test of its own.
    expect(never).toEqual([
      "explicit-host-privatelink",
      "dps-name-invalid",
      "connect-to",
      "connect-to-forbidden-by-strict",
      "local-address",
      "hub-name-invalid",
      "cross-cloud",
      "hub-outside-azure",
    ]);
  });
});

describe("in every world, an assigned hub", () => {
  test('is dialled at private addresses or not at all under network = "private"', () => {
    holds(anyWorld, (world) => {
      const decision = decideForHub(world);
      if (world.settings.network !== "private" || decision.kind === "none") return;
      expect(decision).toMatchObject({ kind: "hub", host: hubHost, path: "private", proxy: "never" });
      expect(decision.addresses?.length).toBeGreaterThan(0);
      for (const address of decision.addresses ?? [])
        expect([address, looksPrivate(world, address)]).toEqual([address, true]);
    });
  });

  test("is dialled at observed addresses only, never at those of this machine or link", () => {
    holds(anyWorld, (world) => {
      for (const address of decideForHub(world).addresses ?? []) {
        expect([...saidBy(world.seen, hubHost), ...fromSystem(world), ...world.hosts]).toContain(address);
        expect(inList(neverForAzure, address)).toBe(false);
      }
    });
  });

  test("that is public behind a private DPS is reported", () => {
    holds(anyWorld, (world) => {
      const decision = decideForHub(world, "private");
      const codes = decision.warnings.map(({ code }) => code);
      if (decision.path === "public") expect(codes).toContain("hub-not-private");
      if (decision.path === "private") expect(codes).not.toContain("hub-not-private");
    });
  });
});
