import { isIPv4 } from "node:net";
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
  plainWorlds,
  privateViews,
  remembersPrivate,
  saidBy,
  showsPrivate,
  viewNames,
  type World,
  withSettings,
} from "../../support/wild-world.ts";

const decide = (world: World): EndpointDecision => decideEndpoint(world.settings, evidenceOf(world), world.memory);
/** The decision for a hub behind a DPS that was reached over a private path. */
const decideForHub = (world: World): EndpointDecision =>
  decideHub(
    world.settings,
    { host: hubHost, dps: { host: dpsHost, path: "private" } },
    { ...evidenceOf(world), names: [evidenceAbout(hubHost, world)] },
    world.memory,
  );
const isGlobal = ({ host }: EndpointDecision): boolean => host === globalName;
const codesOf = ({ warnings }: EndpointDecision): string[] => warnings.map(({ code }) => code);

/** Kinds of worlds, and what is decided in them. */
const kinds = {
  any: { worlds: anyWorld, decide },
  /** The device knows its DPS and leaves the choice to landfall. */
  named: { worlds: anyNamedWorld, decide },
  /** The owner names the global endpoint, and nothing forbids it. */
  global: {
    worlds: anyWorld.map((world) =>
      withSettings(world, { endpoint: globalName, dpsName: "contoso", network: "any", dataResidency: "any" }),
    ),
    decide,
  },
  hub: { worlds: anyWorld, decide: decideForHub },
};
type Decided = readonly { readonly world: World; readonly decision: EndpointDecision }[];
const samples = new Map<keyof typeof kinds, Decided>();

/**
 * Holds a claim against hundreds of worlds of a kind, other ones in each run. All claims share the worlds and their decisions, which is what makes
 * them many; only for a claim that fails, a smaller world is looked for.
 */
function holds(kind: keyof typeof kinds, claim: (decision: EndpointDecision, world: World) => void): void {
  const { worlds, decide } = kinds[kind];
  const drawn = () => [...(worlds === anyWorld ? plainWorlds : []), ...fc.sample(worlds, 500)];
  const sample = samples.get(kind) ?? drawn().map((world) => ({ world, decision: decide(world) }));
  samples.set(kind, sample);
  for (const { world, decision } of sample) {
    try {
      claim(decision, world);
    } catch (error) {
      forAll(worlds, (smaller) => claim(decide(smaller), smaller), 10_000);
      throw new Error(`in the world ${fc.stringify(world)}`, { cause: error });
    }
  }
}

function forAll<T>(arbitrary: fc.Arbitrary<T>, claim: (value: T) => void, numRuns = 120): void {
  fc.assert(fc.property(arbitrary, claim), { numRuns });
}

describe("in every world, the global endpoint", () => {
  test("is never chosen when only a private path will do", () => {
    holds("any", (decision, world) => {
      if (isStrict(world)) expect(isGlobal(decision)).toBe(false);
    });
  });

  test("is never chosen when a private endpoint is known", () => {
    holds("named", (decision, world) => {
      if (showsPrivate(world)) expect(isGlobal(decision)).toBe(false);
    });
  });

  test("is never chosen when the path was private before, with or without a DPS name", () => {
    holds("any", (decision, world) => {
      if (world.settings.endpoint === "auto" && remembersPrivate(world)) expect(isGlobal(decision)).toBe(false);
    });
  });

  test("is never chosen by anybody who asked for something else", () => {
    holds("any", (decision, world) => {
      if (!["auto", "global", globalName].includes(world.settings.endpoint)) {
        expect(isGlobal(decision)).toBe(false);
      }
    });
  });

  test("is chosen only when everybody was heard and is plainly public, or when a missing name may lead to it", () => {
    holds("named", (decision, world) => {
      if (!isGlobal(decision)) return;
      const resolvable = world.proxy.applies && world.proxy.resolvesNames;
      expect(world.connectTo === undefined && !resolvable).toBe(true);
      expect(plainlyPublic(world) || (world.settings.allowGlobalFallback && nowhereFound(world))).toBe(true);
    });
  });

  test("is chosen when all is plainly public and nothing speaks against it", () => {
    holds("named", (decision, world) => {
      const against = isStrict(world) || remembersPrivate(world) || listsRange(world) || world.proxy.applies;
      const dialable = world.globalSeen.every((name) => name === "public" || name === "publicOther");
      if (!plainlyPublic(world) || against || !dialable || world.connectTo !== undefined) return;
      expect(decision).toMatchObject({ kind: "global", reason: "public-only", path: "public" });
    });
  });

  test("named by the owner is obeyed outside strictness, loudly when a private endpoint is known or remembered", () => {
    holds("global", (decision, world) => {
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
    holds("any", (decision, world) => {
      const remembered = world.memory.sightings.flatMap((each) => each.addresses);
      const known = isGlobal(decision) ? saidBy(world.globalSeen) : [...observed(world), ...remembered];
      expect((decision.addresses ?? []).filter((address) => !known.includes(address))).toEqual([]);
    });
  });

  test("are there, unless somebody else resolves the name; and without them there is none to dial", () => {
    holds("any", (decision, world) => {
      const { kind, host, addresses, path, proxy } = decision;
      if (kind === "none") expect([host, addresses, path, proxy]).toEqual([undefined, undefined, "unknown", "never"]);
      else if (addresses !== undefined) expect(addresses.length).toBeGreaterThan(0);
      else expect(world.connectTo !== undefined || (world.proxy.applies && world.proxy.resolvesNames)).toBe(true);
    });
  });

  test("are never handed to a proxy that resolves names", () => {
    holds("any", (decision, world) => {
      const { addresses, proxy } = decision;
      if (addresses !== undefined && proxy === "allowed") expect(world.proxy).toMatchObject({ resolvesNames: false });
    });
  });

  test("are private, led by IPv4, and reached without a proxy when only a private path will do", () => {
    holds("any", (decision, world) => {
      const { kind, host, addresses = [], path, proxy } = decision;
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
      expect(addresses.filter((address) => !looksPrivate(world, address))).toEqual([]);
    });
  });

  test("are private in a decision that calls its path private", () => {
    holds("any", (decision, world) => {
      const { host, path, addresses = [] } = decision;
      const isFine = (address: string): boolean =>
        looksPrivate(world, address) || (host === foreignHost && isLocal(address));
      if (path === "private") expect(addresses.filter((address) => !isFine(address))).toEqual([]);
    });
  });

  test("are never those of this machine, this link or a metadata service for an Azure name", () => {
    holds("any", ({ host, addresses = [] }) => {
      const forbidden = host === foreignHost ? isMetadata : isLocal;
      expect(addresses.filter(forbidden)).toEqual([]);
    });
  });

  test("are the private ones wherever private IPv4 addresses are in sight and nothing hides them", () => {
    holds("named", (decision, world) => {
      const inSight = observed(world).some((each) => isIPv4(each) && looksPrivate(world, each));
      if (!inSight || world.proxy.applies || world.connectTo !== undefined) return;
      expect(decision).toMatchObject({ kind: "service", path: "private" });
    });
  });

  test("come from the private zone's own record where there is one, beside those of the hosts file", () => {
    const guesses = saidBy(["override", "captive"]);
    holds("named", ({ reason, addresses = [] }) => {
      if (reason !== "private-endpoint") return;
      expect(addresses.filter((address) => guesses.includes(address))).toEqual([]);
    });
  });

  test("are remembered ones only when somebody was not heard, and for a day", () => {
    holds("any", (decision, world) => {
      if (decision.reason !== "last-good-address") return;
      expect(plainlyPublic(world) || nowhereFound(world)).toBe(false);
      const [sighting] = world.memory.sightings;
      expect(Math.abs(noon - (sighting?.lastSeen ?? 0))).toBeLessThanOrEqual(24 * hour);
      expect(sighting?.host).toBe(decision.host);
    });
  });
});

describe("in every world, less knowledge never opens the global endpoint", () => {
  const withAnother = (...names: ViewName[]) => fc.tuple(anyNamedWorld, fc.constantFrom(...names));

  test("one more name server, whatever it says", () => {
    forAll(withAnother(...viewNames), ([world, another]) => {
      if (world.seen.length === 0 || isGlobal(decide(world))) return;
      expect(isGlobal(decide({ ...world, seen: [...world.seen, another] }))).toBe(false);
    });
  });

  test("one more name server that fails or shows something private", () => {
    forAll(
      withAnother(...privateViews, "silent", "refused", "loop", "cut", "stripped", "noAddress"),
      ([world, another]) => {
        expect(isGlobal(decide({ ...world, seen: [another, ...world.seen] }))).toBe(false);
        expect(isGlobal(decide({ ...world, seen: [...world.seen, another] }))).toBe(false);
      },
    );
  });

  test("answers that were never given", () => {
    forAll(fc.tuple(anyNamedWorld, fc.nat()), ([world, which]) => {
      const evidence = evidenceOf(world);
      const [service, ...rest] = evidence.names;
      if (service === undefined || service.answers.length === 0) return;
      const answers = service.answers.toSpliced(which % service.answers.length, 1);
      const names = [{ ...service, answers }, ...rest];
      expect(isGlobal(decideEndpoint(world.settings, { ...evidence, names }, world.memory))).toBe(false);
    });
  });

  test("a failed answer that carries addresses or aliases all the same is no evidence of anything", () => {
    const broken: readonly (string | undefined)[] = ["loop", "chain-too-long", "malformed", "timeout", "unreachable"];
    forAll(withAnother("loop", "endless", "malformed", "silent", "unreachable"), ([calm, another]) => {
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
    forAll(anyWorld, (world) => {
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
    forAll(anyWorld, (world) => {
      const frozen = freeze({ settings: world.settings, evidence: evidenceOf(world), memory: world.memory });
      const registration = decideEndpoint(frozen.settings, frozen.evidence, frozen.memory);
      for (const { text, advice, warnings } of [registration, decideForHub(world)]) {
        const texts = [text, advice, ...warnings.flatMap((warning) => [warning.text, warning.remedy])];
        expect(texts.filter((each) => /\{\w+\}|undefined|\[object/.test(each))).toEqual([]);
      }
    });
  });

  test("says of every `none` whether waiting may help, and of nothing else", () => {
    holds("any", ({ kind, reason, retryable }) => {
      expect(retryable).toBe(kind === "none" && reasons[reason].retryable);
    });
  });

  test("comes from every part of the table", () => {
    const worlds = [...plainWorlds, ...fc.sample(anyWorld, { numRuns: 1000, seed: 1 })];
    const found = new Set(worlds.map((world) => decide(world).reason));
    const rare = (Object.keys(reasons) as ReasonCode[]).filter((reason) => !found.has(reason));
    expect(rare).toEqual(["hub-name-invalid", "cross-cloud", "hub-outside-azure", "hub-public"]);
  });
});

describe("in every world, an assigned hub", () => {
  test('is dialled at private addresses or not at all under network = "private"', () => {
    holds("hub", (decision, world) => {
      const { kind, path, proxy, addresses = [] } = decision;
      if (world.settings.network !== "private" || kind === "none") return;
      expect([kind, proxy]).toEqual(["hub", "never"]);
      if (world.connectTo !== undefined) return;
      expect([path, addresses.length > 0]).toEqual(["private", true]);
      expect(addresses.filter((address) => !looksPrivate(world, address))).toEqual([]);
    });
  });

  test("is dialled at observed addresses only, never at those of this machine or link", () => {
    holds("hub", (decision, world) => {
      const { addresses = [] } = decision;
      const seen = observed(world);
      expect(addresses.filter((address) => isLocal(address) || !seen.includes(address))).toEqual([]);
    });
  });

  test("does not depend on data residency", () => {
    forAll(anyWorld, (world) => {
      const residency = (dataResidency: "any" | "strict") => decideForHub(withSettings(world, { dataResidency }));
      expect(residency("strict").addresses).toEqual(residency("any").addresses);
    });
  });

  test("that is public behind a private DPS is reported", () => {
    holds("hub", (decision) => {
      if (decision.path === "public") expect(codesOf(decision)).toContain("hub-not-private");
      if (decision.path === "private") expect(codesOf(decision)).not.toContain("hub-not-private");
    });
  });
});
