import { isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideEndpoint, decideHub } from "../../../src/endpoint/decision.ts";
import type { EndpointDecision } from "../../../src/endpoint/endpoint-decision.ts";
import type { EndpointSettings } from "../../../src/endpoint/endpoint-settings.ts";
import { type ReasonCode, reasons } from "../../../src/endpoint/reasons.ts";
import { dpsHost, globalName, hour, hubHost, noon, type ViewName } from "../../support/endpoint-world.ts";
import {
  anyNamedWorld,
  anyWorld,
  evidenceAbout,
  evidenceOf,
  foreignHost,
  isLocal,
  isMetadata,
  isStrict,
  listsRange,
  looksPrivate,
  nowhereFound,
  observed,
  plainlyPublic,
  privateViews,
  remembersPrivate,
  saidBy,
  showsPrivate,
  viewNames,
  type World,
  withSettings,
} from "../../support/wild-world.ts";

const decide = (world: World): EndpointDecision => decideEndpoint(world.settings, evidenceOf(world), world.memory);
const decideForHub = (world: World, dpsPath: "private" | "public" = "private"): EndpointDecision =>
  decideHub(
    world.settings,
    { host: hubHost, dps: { host: dpsHost, path: dpsPath } },
    { ...evidenceOf(world), names: [evidenceAbout(hubHost, world)] },
    world.memory,
  );
const isGlobal = ({ host }: EndpointDecision): boolean => host === globalName;
const codesOf = ({ warnings }: EndpointDecision): string[] => warnings.map(({ code }) => code);

const holds = (worlds: fc.Arbitrary<World>, claim: (world: World) => void): void => {
  fc.assert(fc.property(worlds, claim), { numRuns: 250 });
};

describe("in every world, the global endpoint", () => {
  test("is never chosen when only a private path will do", () => {
    holds(anyWorld, (world) => {
      if (isStrict(world)) expect(isGlobal(decide(world))).toBe(false);
    });
  });

  test("is never chosen when a private endpoint is known", () => {
    holds(anyNamedWorld, (world) => {
      if (showsPrivate(world)) expect(isGlobal(decide(world))).toBe(false);
    });
  });

  test("is never chosen when the path was private before, with or without a DPS name", () => {
    holds(anyWorld, (world) => {
      if (world.settings.endpoint === "auto" && remembersPrivate(world)) expect(isGlobal(decide(world))).toBe(false);
    });
  });

  test("is never chosen by anybody who asked for something else", () => {
    holds(anyWorld, (world) => {
      if (!["auto", "global", globalName].includes(world.settings.endpoint)) {
        expect(isGlobal(decide(world))).toBe(false);
      }
    });
  });

  test("is chosen only when everybody was heard and is plainly public, or when a missing name may lead to it", () => {
    holds(anyNamedWorld, (world) => {
      if (!isGlobal(decide(world))) return;
      const resolvable = world.proxy.applies && world.proxy.resolvesNames;
      expect(world.connectTo === undefined && !resolvable).toBe(true);
      expect(plainlyPublic(world) || (world.settings.allowGlobalFallback && nowhereFound(world))).toBe(true);
    });
  });

  test("is chosen when all is plainly public and nothing speaks against it", () => {
    holds(anyNamedWorld, (world) => {
      const against = isStrict(world) || remembersPrivate(world) || listsRange(world) || world.proxy.applies;
      const dialable = world.globalSeen.every((name) => name === "public" || name === "publicOther");
      if (!plainlyPublic(world) || against || !dialable || world.connectTo !== undefined) return;
      expect(decide(world)).toMatchObject({ kind: "global", reason: "public-only", path: "public" });
    });
  });

  test("named by the owner is obeyed outside strictness, loudly when a private endpoint is known or remembered", () => {
    const owners = anyWorld.map((world) =>
      withSettings(world, { endpoint: globalName, dpsName: "contoso", network: "any", dataResidency: "any" }),
    );
    holds(owners, (world) => {
      const decision = decide(world);
      if (decision.kind === "none") {
        expect(decision.reason).toBe("global-unresolved");
        return;
      }
      expect(decision).toMatchObject({ kind: "explicit", host: globalName });
      expect(codesOf(decision).includes("global-despite-private")).toBe(showsPrivate(world) || remembersPrivate(world));
    });
  });
});

describe("in every world, the addresses of a decision", () => {
  test("were all observed for that very name, or remembered as private", () => {
    holds(anyWorld, (world) => {
      const decision = decide(world);
      const remembered = world.memory.sightings.flatMap((each) => each.addresses);
      const known = isGlobal(decision) ? saidBy(world.globalSeen) : [...observed(world), ...remembered];
      for (const address of decision.addresses ?? []) expect(known).toContain(address);
    });
  });

  test("are there, unless somebody else resolves the name; and without them there is none to dial", () => {
    holds(anyWorld, (world) => {
      const { kind, host, addresses, path, proxy } = decide(world);
      if (kind === "none") expect([host, addresses, path, proxy]).toEqual([undefined, undefined, "unknown", "never"]);
      else if (addresses !== undefined) expect(addresses.length).toBeGreaterThan(0);
      else expect(world.connectTo !== undefined || (world.proxy.applies && world.proxy.resolvesNames)).toBe(true);
    });
  });

  test("are never handed to a proxy that resolves names", () => {
    holds(anyWorld, (world) => {
      const { addresses, proxy } = decide(world);
      if (addresses !== undefined && proxy === "allowed") expect(world.proxy).toMatchObject({ resolvesNames: false });
    });
  });

  test("are private, led by IPv4, and reached without a proxy when only a private path will do", () => {
    holds(anyWorld, (world) => {
      const { kind, host, addresses = [], path, proxy } = decide(world);
      if (!isStrict(world) || kind === "none") return;
      expect(proxy).toBe("never");
      if (world.connectTo !== undefined) {
        expect(looksPrivate(world, world.connectTo) || world.connectTo === "127.0.0.1").toBe(true);
        return;
      }
      const [first = ""] = addresses;
      if (host === foreignHost && isLocal(first)) return;
      expect(isIPv4(first)).toBe(true);
      expect(path).toBe("private");
      for (const address of addresses) expect([address, looksPrivate(world, address)]).toEqual([address, true]);
    });
  });

  test("are private in a decision that calls its path private", () => {
    holds(anyWorld, (world) => {
      const { host, path, addresses = [] } = decide(world);
      const isFine = (address: string): boolean =>
        looksPrivate(world, address) || (host === foreignHost && isLocal(address));
      if (path === "private")
        for (const address of addresses) expect([address, isFine(address)]).toEqual([address, true]);
    });
  });

  test("are never those of this machine, this link or a metadata service for an Azure name", () => {
    holds(anyWorld, (world) => {
      const { host, addresses = [] } = decide(world);
      const forbidden = host === foreignHost ? isMetadata : isLocal;
      for (const address of addresses) expect([address, forbidden(address)]).toEqual([address, false]);
    });
  });

  test("are the private ones wherever private IPv4 addresses are in sight and nothing hides them", () => {
    holds(anyNamedWorld, (world) => {
      const inSight = observed(world).some((each) => isIPv4(each) && looksPrivate(world, each));
      if (!inSight || world.proxy.applies || world.connectTo !== undefined) return;
      expect(decide(world)).toMatchObject({ kind: "service", path: "private" });
    });
  });

  test("come from the private zone's own record where there is one, beside those of the hosts file", () => {
    holds(anyNamedWorld, (world) => {
      const { reason, addresses = [] } = decide(world);
      if (reason !== "private-endpoint" || listsRange(world)) return;
      for (const address of addresses)
        expect(["override", "captive"].flatMap((name) => saidBy([name as ViewName]))).not.toContain(address);
    });
  });

  test("are remembered ones only when somebody was not heard, and for a day", () => {
    holds(anyWorld, (world) => {
      const { reason } = decide(world);
      if (reason !== "last-good-address") return;
      expect(plainlyPublic(world) || nowhereFound(world)).toBe(false);
      const [sighting] = world.memory.sightings;
      expect(Math.abs(noon - (sighting?.lastSeen ?? 0))).toBeLessThanOrEqual(24 * hour);
      expect(sighting?.host).toBe(dpsHost);
    });
  });
});

describe("in every world, less knowledge never opens the global endpoint", () => {
  const more = (...names: ViewName[]) => fc.tuple(anyNamedWorld, fc.constantFrom(...names));
  const never = (worlds: fc.Arbitrary<readonly [World, ViewName]>, claim: (world: World, another: ViewName) => void) =>
    fc.assert(
      fc.property(worlds, ([world, another]) => claim(world, another)),
      { numRuns: 400 },
    );

  test("one more name server, whatever it says", () => {
    never(more(...viewNames), (world, another) => {
      if (world.seen.length === 0 || isGlobal(decide(world))) return;
      expect(isGlobal(decide({ ...world, seen: [...world.seen, another] }))).toBe(false);
    });
  });

  test("one more name server that fails or shows something private", () => {
    never(more(...privateViews, "silent", "refused", "loop", "cut", "stripped", "noAddress"), (world, another) => {
      expect(isGlobal(decide({ ...world, seen: [another, ...world.seen] }))).toBe(false);
      expect(isGlobal(decide({ ...world, seen: [...world.seen, another] }))).toBe(false);
    });
  });

  test("answers that were never given", () => {
    fc.assert(
      fc.property(anyNamedWorld, fc.nat(), (world, which) => {
        const evidence = evidenceOf(world);
        const [service, ...rest] = evidence.names;
        if (service === undefined || service.answers.length === 0) return;
        const answers = service.answers.toSpliced(which % service.answers.length, 1);
        const names = [{ ...service, answers }, ...rest];
        expect(isGlobal(decideEndpoint(world.settings, { ...evidence, names }, world.memory))).toBe(false);
      }),
      { numRuns: 250 },
    );
  });

  test("a failed answer that carries addresses or aliases all the same is no evidence of anything", () => {
    const broken: readonly (string | undefined)[] = ["loop", "chain-too-long", "malformed", "timeout", "unreachable"];
    never(more("loop", "endless", "malformed", "silent", "unreachable"), (calm, another) => {
      const world = { ...calm, seen: [...calm.seen, another] };
      const evidence = evidenceOf(world);
      const names = evidence.names.map((name) => ({
        ...name,
        answers: name.answers.map((answer) =>
          broken.includes(answer.failure)
            ? { ...answer, chain: ["x.privatelink.example.net"], addresses: [{ address: "10.66.0.66", ttl: 1 }] }
            : answer,
        ),
      }));
      const forged = decideEndpoint(world.settings, { ...evidence, names }, world.memory);
      const honest = decide(world);
      expect([forged.reason, forged.host, forged.addresses]).toEqual([honest.reason, honest.host, honest.addresses]);
    });
  });
});

describe("in every world, the decision", () => {
  test("does not depend on the spelling of names, nor on the order of the name servers", () => {
    holds(anyWorld, (world) => {
      const { endpoint, dpsName, ...settings } = world.settings;
      const spelled: EndpointSettings = {
        ...settings,
        idScope: settings.idScope.toUpperCase(),
        endpoint: `${endpoint.toUpperCase()}.`,
        ...(dpsName === undefined ? {} : { dpsName: `${dpsName.toUpperCase()}.` }),
      };
      const evidence = evidenceOf({ ...world, seen: world.seen.toReversed() });
      const names = evidence.names.map((name) => ({
        ...name,
        host: `${name.host.toUpperCase()}.`,
        answers: name.answers.map((answer) => ({
          ...answer,
          chain: answer.chain.map((alias) => alias.toUpperCase()),
          terminalOwner: answer.terminalOwner.toUpperCase(),
        })),
      }));
      const essence = ({ kind, host, addresses, reason, path, proxy }: EndpointDecision) => ({
        ...{ kind, host, reason, path, proxy },
        addresses: addresses?.toSorted(),
      });
      const shouted = decideEndpoint(spelled, { ...evidence, names }, world.memory);
      expect(essence(shouted)).toEqual(essence(decide(world)));
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
      const frozen = freeze({ settings: world.settings, evidence: evidenceOf(world), memory: world.memory });
      const registration = decideEndpoint(frozen.settings, frozen.evidence, frozen.memory);
      for (const { text, advice, warnings } of [registration, decideForHub(world)]) {
        const texts = [text, advice, ...warnings.flatMap((warning) => [warning.text, warning.remedy])];
        for (const each of texts) expect(each).not.toMatch(/\{\w+\}|undefined|\[object/);
      }
    });
  });

  test("says of every `none` whether waiting may help, and of nothing else", () => {
    holds(anyWorld, (world) => {
      const { kind, reason, retryable } = decide(world);
      expect(retryable).toBe(kind === "none" && reasons[reason].retryable);
    });
  });

  test("comes from every part of the table", () => {
    const found = new Set<ReasonCode>();
    for (const world of fc.sample(anyWorld, { numRuns: 3000, seed: 1 })) found.add(decide(world).reason);
    const rare = (Object.keys(reasons) as ReasonCode[]).filter((reason) => !found.has(reason));
    expect(rare).toEqual(["hub-name-invalid", "cross-cloud", "hub-outside-azure", "hub-public"]);
  });
});

describe("in every world, an assigned hub", () => {
  test('is dialled at private addresses or not at all under network = "private"', () => {
    holds(anyWorld, (world) => {
      const { kind, path, proxy, addresses = [] } = decideForHub(world);
      if (world.settings.network !== "private" || kind === "none") return;
      expect([kind, proxy]).toEqual(["hub", "never"]);
      if (world.connectTo !== undefined) return;
      expect([path, addresses.length > 0]).toEqual(["private", true]);
      for (const address of addresses) expect([address, looksPrivate(world, address)]).toEqual([address, true]);
    });
  });

  test("is dialled at observed addresses only, never at those of this machine or link", () => {
    holds(anyWorld, (world) => {
      for (const address of decideForHub(world).addresses ?? []) {
        expect(observed(world)).toContain(address);
        expect(isLocal(address)).toBe(false);
      }
    });
  });

  test("does not depend on data residency", () => {
    holds(anyWorld, (world) => {
      const residency = (dataResidency: "any" | "strict") => decideForHub(withSettings(world, { dataResidency }));
      expect(residency("strict").addresses).toEqual(residency("any").addresses);
    });
  });

  test("that is public behind a private DPS is reported", () => {
    holds(anyWorld, (world) => {
      const decision = decideForHub(world, "private");
      if (decision.path === "public") expect(codesOf(decision)).toContain("hub-not-private");
      if (decision.path === "private") expect(codesOf(decision)).not.toContain("hub-not-private");
    });
  });
});
