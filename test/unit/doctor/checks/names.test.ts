import { describe, expect, test } from "vitest";
import { endpointChoice } from "../../../../src/doctor/checks/endpoint-choice.ts";
import { hostsFile } from "../../../../src/doctor/checks/hosts-file.ts";
import { nameServers } from "../../../../src/doctor/checks/name-servers.ts";
import { nameView } from "../../../../src/doctor/checks/name-view.ts";
import { networkMemory } from "../../../../src/doctor/checks/network-memory.ts";
import type { Subject } from "../../../../src/doctor/context.ts";
import { codesOf, dpsSubject, fakeContext, hubSubject, outcomeOf } from "../../../support/doctor-context.ts";
import {
  behindProxy,
  dpsHost,
  hostsLine,
  settingsOf,
  type ViewName,
  wasPrivate,
} from "../../../support/endpoint-world.ts";

const lookAt = (dps: Subject) => outcomeOf(nameView("dps"), fakeContext({ subjects: { dps } }));
const choose = (dps: Subject) => outcomeOf(endpointChoice("dps"), fakeContext({ subjects: { dps } }));

describe("the name of a service", () => {
  test.each<[readonly ViewName[], readonly string[]]>([
    [["linked"], []],
    [["public"], []],
    [["publicThroughRegion", "public"], []],
    [["publicWithDns64"], []],
    [["outside"], ["private-endpoint-not-visible (warning)"]],
    [["missingRecord"], ["record-missing (failed)"]],
    [["missingRecord", "public"], ["record-missing (warning)"]],
    [["missingAddress"], ["record-missing (failed)"]],
    [["shadowed"], ["zone-shadows (failed)"]],
    [["strippedBehindAlias"], ["address-stripped (failed)"]],
    [["cut"], ["answer-cut (failed)"]],
    [["cutBehindAlias"], ["answer-cut (failed)"]],
    [["silent"], ["no-answer (failed)"]],
    [["serverFailure"], ["no-answer (failed)"]],
    [["refused"], ["no-answer (failed)"]],
    [["loop"], ["no-answer (failed)"]],
    [["silent", "linked"], ["no-answer (warning)"]],
    [["notFound"], ["name-not-found (failed)"]],
    [["noAddress"], ["no-address (failed)"]],
    [["loopback"], ["implausible (failed)"]],
    [["metadata"], ["implausible (failed)"]],
    [["fakeIp"], ["overlay (warning)"]],
    [["shared"], ["overlay (warning)"]],
    [["uniqueLocal"], ["ipv6-only (warning)", "address-stripped (warning)"]],
    [["zoneWithPublicRange"], ["public-range (warning)"]],
    [["linked", "outside"], ["servers-disagree (warning)"]],
    [["override"], ["no-privatelink (warning)"]],
    [["publicWithIpv6"], ["ipv6 (warning)"]],
  ])("as %j", async (seen, codes) => {
    expect(codesOf(await lookAt(dpsSubject(seen)))).toEqual(codes);
  });

  test("names the record and the zone that it lacks, and whom to ask", async () => {
    const { findings } = await lookAt(dpsSubject(["missingRecord"]));
    expect(findings[0]?.remedy).toBe(
      'Ask the owner of the virtual network to create the A record "contoso" in the zone privatelink.azure-devices-provisioning.net, or to attach the zone group to the private endpoint (sub-resource iotDps).',
    );
  });

  test("tells three ways apart in which a private endpoint is not seen, by what to ask for", async () => {
    const { findings } = await lookAt(dpsSubject(["outside"]));
    expect(findings[0]?.remedy).toMatch(/link the private DNS zone privatelink\.azure-devices-provisioning\.net/);
    expect(findings[0]?.remedy).toMatch(/falls back to the internet for a missing record/);
    expect(findings[0]?.remedy).toMatch(
      /forwarder for azure-devices-provisioning\.net \(the public suffix, never privatelink\)/,
    );
  });

  test("has no say where a proxy or a rule decides", async () => {
    const proxied = await lookAt(dpsSubject(["notFound"], behindProxy()));
    expect(proxied).toMatchObject({ status: "ok", summary: "http://proxy:3128 looks the name up itself" });
    const connectTo = { rule: "::127.0.0.1:8883", host: "127.0.0.1" };
    expect(await lookAt(dpsSubject([], { connectTo }))).toMatchObject({ status: "ok", findings: [] });
  });

  test("shows every answer, and what programs want to know of them", async () => {
    const { evidence, data } = await lookAt(dpsSubject(["linked", "outside"]));
    expect(evidence.filter((line) => line.startsWith(dpsHost)).join("\n")).toMatch(
      /10\.0\.0\.2:53 A: -> contoso\.privatelink/,
    );
    expect(data).toMatchObject({ host: dpsHost, private: ["10.20.0.5"], knownPrivate: true });
  });

  test("is not asked for where there is none", async () => {
    expect(await outcomeOf(nameView("digital-twins"), fakeContext())).toMatchObject({
      status: "skipped",
      because: "not-applicable",
    });
  });
});

describe("the choice of an endpoint", () => {
  test("tells what is dialled, where and why", async () => {
    const { status, summary, data } = await choose(dpsSubject(["linked"]));
    expect(status).toBe("ok");
    expect(summary).toMatch(/^contoso\S+, at 10\.20\.0\.5 \(private\): A private endpoint is active here/);
    expect(data).toMatchObject({
      kind: "service",
      path: "private",
      reason: "private-endpoint",
      addresses: ["10.20.0.5"],
    });
  });

  test("fails when nothing may be dialled, with the decision's own advice", async () => {
    const { findings } = await choose(dpsSubject(["outside"], {}, { settings: settingsOf({ network: "private" }) }));
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ code: "refused", status: "failed" });
    expect(findings[0]?.remedy).toMatch(/not linked to this network/);
  });

  test.each<[string, Subject, readonly string[]]>([
    ["an ordinary public world", dpsSubject(["public"]), []],
    ["no name of a DPS", dpsSubject(["public"], {}, { settings: settingsOf({ endpoint: "global" }) }), []],
    ["a private endpoint that is not seen", dpsSubject(["outside"]), ["public-path (warning)"]],
    ["incomplete evidence", dpsSubject(["public", "silent"]), ["public-path (warning)"]],
    ["a private path that was", dpsSubject(["public"], {}, { memory: wasPrivate() }), ["public-path (warning)"]],
    [
      "a private path that was, and silence",
      dpsSubject(["silent"], {}, { memory: wasPrivate() }),
      ["last-good-address (warning)"],
    ],
    [
      "the global endpoint, named against a private one",
      dpsSubject(["linked"], {}, { settings: settingsOf({ endpoint: "global" }) }),
      ["global-despite-private (warning)"],
    ],
    ["private and public answers", dpsSubject(["linkedMixed"]), ["mixed-answers (warning)"]],
  ])("in %s", async (_, subject, codes) => {
    expect(codesOf(await choose(subject))).toEqual(codes);
  });

  test("tells of a hub that is not private although DPS is", async () => {
    const hub = hubSubject(["public"], {}, { dps: dpsSubject(["linked"]) });
    const result = await outcomeOf(endpointChoice("hub"), fakeContext({ subjects: { hub } }));
    expect(codesOf(result)).toEqual(["hub-not-private (warning)"]);
    expect(result.findings[0]?.remedy).toMatch(/sub-resource iotHub/);
  });
});

describe("the name servers", () => {
  const ask = (dps: Subject) => outcomeOf(nameServers, fakeContext({ subjects: { dps } }));

  test.each<[readonly ViewName[], readonly string[]]>([
    [["public", "linked"], []],
    [["cut"], []],
    [[], ["none (failed)"]],
    [["silent"], ["all-silent (failed)"]],
    [["serverFailure", "silent"], ["all-silent (failed)"]],
    [["silent", "public"], ["silent (warning)"]],
  ])("that see %j", async (seen, codes) => {
    const evidence = dpsSubject(seen).evidence;
    const alone = { ...evidence, names: evidence.names.slice(0, 1) };
    expect(codesOf(await ask({ ...dpsSubject(seen), evidence: alone }))).toEqual(codes);
  });

  test("name the one that does not answer, and how", async () => {
    const { evidence, names } = { evidence: dpsSubject(["silent", "public"]).evidence, names: 1 };
    const result = await ask({ ...dpsSubject([]), evidence: { ...evidence, names: evidence.names.slice(0, names) } });
    expect(result.findings[0]?.text).toBe("10.0.0.1:53: 0 of 2 answers (timeout)");
    expect(result.summary).toMatch(/^1 of 2 answer/);
  });

  test("are of no interest where rules lead every name elsewhere", async () => {
    const subject = dpsSubject([], { connectTo: { rule: "::127.0.0.1:1", host: "127.0.0.1" } });
    const evidence = { ...subject.evidence, names: subject.evidence.names.slice(0, 1) };
    expect((await ask({ ...subject, evidence })).status).toBe("skipped");
  });
});

describe("the hosts file", () => {
  const entry = (address: string, name = dpsHost) => ({ file: "/etc/hosts", line: 3, address, name });

  test.each([
    [[], []],
    [[entry("10.0.0.1", "printer.corp.example")], []],
    [[entry("10.20.0.5")], ["override (warning)"]],
    [[entry("20.42.0.10")], ["public-override (warning)"]],
    [
      [entry("10.20.0.5"), entry("127.0.0.1", "myhub.azure-devices.net")],
      ["override (warning)", "public-override (warning)"],
    ],
  ])("with %j", async (hosts, codes) => {
    expect(codesOf(await outcomeOf(hostsFile, fakeContext({ hosts })))).toEqual(codes);
  });

  test("is named with its line", async () => {
    const { findings } = await outcomeOf(hostsFile, fakeContext({ hosts: [entry("10.20.0.5")] }));
    expect(findings[0]?.text).toBe(`/etc/hosts:3 gives ${dpsHost} the address 10.20.0.5`);
  });
});

describe("the network memory", () => {
  const recall = (dps: Subject, memory = wasPrivate()) =>
    outcomeOf(networkMemory, fakeContext({ subjects: { dps }, memory }));

  test("holds up while the path is private, also by the hosts file", async () => {
    expect(codesOf(await recall(dpsSubject(["linked"], {}, { memory: wasPrivate() })))).toEqual([]);
    expect(codesOf(await recall(dpsSubject(["public"], hostsLine("10.20.0.5"), { memory: wasPrivate() })))).toEqual([]);
  });

  test("does not when the path is public now, and tells since when it was private", async () => {
    const result = await recall(dpsSubject(["public"], {}, { memory: wasPrivate() }));
    expect(codesOf(result)).toEqual(["downgrade (warning)"]);
    expect(result.findings[0]?.text).toMatch(/2026-03-01T11:00:00/);
    expect(result.evidence[0]).toMatch(/^contoso\S+ at 10\.20\.0\.5, from 2026-03-01T11/);
  });

  test("is told of when it cannot be read", async () => {
    const memory = { sightings: [], damaged: true };
    expect(codesOf(await recall(dpsSubject(["linked"], {}, { memory }), memory))).toEqual(["damaged (warning)"]);
  });
});
