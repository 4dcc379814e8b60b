import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EndpointDecision } from "../../../src/endpoint/endpoint-decision.ts";
import {
  decodeMemory,
  emptyMemory,
  encodeMemory,
  lastGoodLifeMs,
  type NetworkMemory,
  recall,
  withSighting,
} from "../../../src/endpoint/network-memory.ts";
import { NetworkMemoryStore } from "../../../src/endpoint/network-memory-store.ts";
import { remember } from "../../../src/endpoint/remember.ts";
import { dpsHost, hubHost, idScope, noon } from "../../support/endpoint-world.ts";

const subject = { role: "dps", host: dpsHost, idScope } as const;
const seen = (address = "10.20.0.5", at = noon): NetworkMemory => withSighting(emptyMemory, subject, address, at);

describe("the memory of a private path", () => {
  test("is found by host or by ID scope, in any spelling, and by nothing else", () => {
    for (const by of [
      { host: dpsHost },
      { host: `${dpsHost.toUpperCase()}.` },
      { idScope: idScope.toLowerCase() },
      { idScope, host: "fabrikam.azure-devices-provisioning.net" },
    ]) {
      expect(recall(seen(), { role: "dps", ...by }, noon).sighting?.host).toBe(dpsHost);
    }
    for (const by of [{}, { host: "fabrikam.azure-devices-provisioning.net" }, { idScope: "0ne00FFFFFF" }]) {
      expect(recall(seen(), { role: "dps", ...by }, noon).sighting).toBeUndefined();
    }
    expect(recall(seen(), { role: "hub", host: dpsHost, idScope }, noon).sighting).toBeUndefined();
  });

  test("holds for ever, its addresses for a day and for the very host only", () => {
    const later = noon + lastGoodLifeMs;
    expect(recall(seen(), subject, later).lastGood).toEqual(["10.20.0.5"]);
    expect(recall(seen(), subject, later + 1)).toMatchObject({ lastGood: [], sighting: { host: dpsHost } });
    expect(recall(seen(), subject, noon + 1000 * lastGoodLifeMs).sighting).toBeDefined();
    expect(recall(seen(), { ...subject, host: "fabrikam.azure-devices-provisioning.net" }, noon).lastGood).toEqual([]);
  });

  test("keeps the first and the last sight, and the latest addresses first", () => {
    let memory = seen("10.20.0.5", noon);
    for (let at = 0; at < 30; at++) memory = withSighting(memory, subject, `10.30.0.${at}`, noon + at);
    memory = withSighting(memory, subject, "10.20.0.5", noon + 100);
    const [sighting, ...others] = memory.sightings;
    expect(others).toEqual([]);
    expect(sighting).toMatchObject({ firstSeen: noon, lastSeen: noon + 100 });
    expect(sighting?.addresses.slice(0, 2)).toEqual(["10.20.0.5", "10.30.0.29"]);
    expect(sighting?.addresses).toHaveLength(16);
  });
});

describe("the text of a memory", () => {
  test("gives the same memory back", () => {
    const memory = withSighting(seen(), { role: "hub", host: hubHost }, "fd00::5", noon);
    expect(decodeMemory(encodeMemory(memory))).toEqual(memory);
    expect(decodeMemory(encodeMemory({ ...memory, damaged: true }))).toEqual({ ...memory, damaged: true });
  });

  test("that is not there is an empty memory; any other text is a damaged one", () => {
    expect(decodeMemory(undefined)).toEqual(emptyMemory);
    const broken = [
      "",
      "{",
      "[]",
      "null",
      "{}",
      '{"schema":"landfall.network-memory/2","damaged":false,"sightings":[]}',
      '{"schema":"landfall.network-memory/1","damaged":false,"sightings":{}}',
      encodeMemory(seen()).replace('"damaged": false', '"damaged": "no"'),
    ];
    for (const text of broken) expect([text, decodeMemory(text).damaged]).toEqual([text, true]);
  });

  test("keeps what can be read beside what cannot", () => {
    const text = encodeMemory(withSighting(seen(), { role: "hub", host: hubHost }, "10.20.0.6", noon));
    for (const [from, to] of [
      [`"${hubHost}"`, '"10.0.0.1"'],
      ['"hub"', '"twin"'],
      [`"lastSeen": ${noon}`, '"lastSeen": "today"'],
    ] as const) {
      const memory = decodeMemory(text.replace(from, to));
      expect(memory.damaged).toBe(true);
      expect(memory.sightings.length).toBe(1);
    }
  });

  test("of any kind is read without an error, and never taken for an empty memory", () => {
    const sighting = fc.record(
      {
        role: fc.constantFrom("dps", "x"),
        host: fc.string(),
        addresses: fc.array(fc.string()),
        firstSeen: fc.double(),
        lastSeen: fc.double(),
      },
      { requiredKeys: [] },
    );
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .array(sighting, { minLength: 1 })
        .map((sightings) => JSON.stringify({ schema: "landfall.network-memory/1", damaged: false, sightings })),
    );
    fc.assert(
      fc.property(text, (any) => {
        const { sightings, damaged } = decodeMemory(any);
        expect(damaged || sightings.length > 0).toBe(true);
      }),
    );
  });
});

describe("what a session proves", () => {
  const decision: EndpointDecision = {
    kind: "service",
    host: dpsHost,
    addresses: ["10.20.0.5"],
    path: "private",
    proxy: "never",
    reason: "private-endpoint",
    row: "7",
    text: "",
    advice: "",
    warnings: [],
    retryable: false,
    freshForMs: 30_000,
  };
  const session = { decision, address: "10.20.0.5", idScope };

  test("is remembered for DPS with its ID scope, and for a hub by its name", () => {
    expect(remember(emptyMemory, session, noon)).toEqual(seen());
    const hub = remember(emptyMemory, { ...session, decision: { ...decision, kind: "hub", host: hubHost } }, noon);
    expect(hub.sightings).toMatchObject([{ role: "hub", host: hubHost, addresses: ["10.20.0.5"] }]);
    expect(hub.sightings[0]).not.toHaveProperty("idScope");
  });

  test.each<[string, Partial<EndpointDecision>, string]>([
    ["the path is public", { path: "public", addresses: ["20.42.0.10"] }, "20.42.0.10"],
    ["nobody knows the path", { path: "unknown" }, "10.20.0.5"],
    ["another address was reached", {}, "10.20.0.6"],
    ["the host is outside Azure", { host: "dps.example" }, "10.20.0.5"],
  ])("is not remembered when %s", (_, more, address) => {
    expect(remember(emptyMemory, { ...session, decision: { ...decision, ...more }, address }, noon)).toBe(emptyMemory);
  });

  test("does not mend a damaged memory", () => {
    expect(remember({ sightings: [], damaged: true }, session, noon)).toMatchObject({ damaged: true, sightings: [{}] });
  });
});

describe("the memory's store", () => {
  const storeOf = (text?: string) => {
    const texts = text === undefined ? [] : [text];
    return { texts, read: async () => texts.at(-1), write: async (next: string) => void texts.push(next) };
  };

  test("saves, loads and forgets", async () => {
    const texts = storeOf();
    const store = new NetworkMemoryStore(texts);
    expect(await store.load()).toEqual(emptyMemory);
    await store.save(seen());
    expect(await new NetworkMemoryStore(texts).load()).toEqual(seen());
    await store.forget();
    expect(await store.load()).toEqual(emptyMemory);
  });

  test("takes what cannot be read for a damaged memory, until the owner forgets it", async () => {
    expect(await new NetworkMemoryStore({ ...storeOf(), read: () => Promise.reject(new Error("EIO")) }).load()).toEqual(
      { sightings: [], damaged: true },
    );
    const store = new NetworkMemoryStore(storeOf("{"));
    await store.save(remember(await store.load(), { decision: {} as EndpointDecision, address: "" }, noon));
    expect((await store.load()).damaged).toBe(true);
    await store.forget();
    expect(await store.load()).toEqual(emptyMemory);
  });
});
