import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clock } from "../../../../src/doctor/checks/clock.ts";
import { dpsAuthentication } from "../../../../src/doctor/checks/dps-authentication.ts";
import { publicAccess } from "../../../../src/doctor/checks/public-access.ts";
import { updatesLinkedHub } from "../../../../src/doctor/checks/updates-linked-hub.ts";
import type { Subject } from "../../../../src/doctor/context.ts";
import type { CheckResult } from "../../../../src/doctor/result.ts";
import { LandfallError } from "../../../../src/errors.ts";
import type { RegistrationLookUp } from "../../../../src/provisioning/look-up.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import {
  codesOf,
  deviceSettings,
  dpsSubject,
  fakeContext,
  hubSubject,
  outcomeOf,
} from "../../../support/doctor-context.ts";
import { dpsHost, noon } from "../../../support/endpoint-world.ts";
import { type HttpsAnswer, type HttpsPeer, startHttpsPeer } from "../../../support/https-peer.ts";

const twins = "twins.api.weu.digitaltwins.azure.net";
let peer: HttpsPeer;
let answer: HttpsAnswer;
beforeAll(async () => {
  peer = await startHttpsPeer([dpsHost, twins], () => answer);
});
afterAll(() => peer[Symbol.asyncDispose]());

describe("the credential at DPS", () => {
  const lookUp = (
    given: RegistrationLookUp | Error,
    before: readonly Partial<CheckResult>[] = [],
    dps: Subject = dpsSubject(["linked"]),
  ) =>
    outcomeOf(
      dpsAuthentication,
      fakeContext({
        subjects: { dps },
        lookUp: async () => {
          if (given instanceof Error) throw given;
          return given;
        },
      }),
      before,
    );
  const refused = (status: number, errorCode?: number): RegistrationLookUp => ({
    status,
    answer: { kind: "refused", status, report: { status, ...(errorCode === undefined ? {} : { errorCode }) } },
  });
  const assigned = (assignedHub: string): RegistrationLookUp => ({
    status: 200,
    answer: { kind: "assigned", assignment: { assignedHub, deviceId: "sensor-0017" } },
  });
  const failed = (errorCode: number, message: string): RegistrationLookUp => ({
    status: 200,
    answer: { kind: "failed", report: { status: 200, errorCode, message } },
  });
  const stored = {
    id: "state.assignment",
    data: { stored: true, isOurs: true, assignedHub: "hub-a.azure-devices.net" },
  };

  test.each<[string, RegistrationLookUp | Error, readonly string[]]>([
    ["an assignment", assigned("hub-a.azure-devices.net"), []],
    ["a registration that is under way", { status: 200, answer: { kind: "assigning" } }, []],
    ["401", refused(401, 401002), ["unauthorized (failed)"]],
    ["404", refused(404, 404201), ["not-registered (unknown)"]],
    ["429", refused(429), ["busy (unknown)"]],
    ["503", refused(503), ["busy (unknown)"]],
    ["400", refused(400), ["refused (failed)"]],
    ["a disabled enrollment", { status: 200, answer: { kind: "disabled", report: {} } }, ["disabled (failed)"]],
    ["no linked hub", failed(400208, "IotHub not specified."), ["assignment-failed (failed)"]],
    ["a linked hub that refuses", failed(400209, "IotHubUnauthorizedAccess"), ["hub-unauthorized (failed)"]],
    ["a linked hub that is gone", failed(401001, "IotHub not found"), ["hub-unauthorized (failed)"]],
    ["somebody else's page", { status: 200, answer: { kind: "malformed", fault: "x" } }, ["not-dps (failed)"]],
    ["silence", new LandfallError("transport.timeout", "no answer"), ["no-answer (failed)"]],
  ])("that meets %s", async (_, given, codes) => {
    expect(codesOf(await lookUp(given))).toEqual(codes);
  });

  test("of a TPM is not looked up, because it shows only in a registration", async () => {
    const settings = await deviceSettings({
      provisioning: {
        source: "dps",
        id_scope: "0ne00000000",
        transport: "https",
        attestation: { method: "tpm", registration_id: "sensor-0017" },
      },
    });
    const lookUp = () => expect.unreachable("DPS was asked");
    const context = fakeContext({ settings, subjects: { dps: dpsSubject(["linked"]) }, lookUp });
    const broken = { id: "credential.readable", status: "failed" } as const;
    for (const before of [[], [broken]]) {
      expect(await outcomeOf(dpsAuthentication, context, before)).toMatchObject({
        status: "skipped",
        because: "not-applicable",
        summary: expect.stringMatching(/registers.*challenge/),
      });
    }
  });

  test("that DPS does not know is gone when it was assigned before", async () => {
    expect(codesOf(await lookUp(refused(404), [stored]))).toEqual(["enrollment-gone (failed)"]);
  });

  test("that belongs to another hub by now is told of", async () => {
    expect(codesOf(await lookUp(assigned("hub-a.azure-devices.net"), [stored]))).toEqual([]);
    const moved = await lookUp(assigned("hub-b.azure-devices.net"), [stored]);
    expect(codesOf(moved)).toEqual(["moved (warning)"]);
    expect(moved.findings[0]?.text).toMatch(/hub-b\S+, and the stored assignment hub-a/);
  });

  test("comes with what a diagnosis needs: by which path, and whether a private endpoint is known", async () => {
    expect((await lookUp(refused(401, 401002), [], dpsSubject(["outside"]))).data).toEqual({
      outcome: "unauthorized",
      status: 401,
      path: "public",
      knownPrivate: true,
      errorCode: 401002,
    });
  });

  test("is not tried with a credential that is known to be broken", async () => {
    const before = [{ id: "credential.key-match", status: "failed" }] as const;
    expect(await lookUp(new Error("nobody may ask"), before)).toMatchObject({ because: "credential.key-match" });
    const unusable = new LandfallError("certificate.not-valid-now", "expired");
    expect(await lookUp(unusable)).toMatchObject({ status: "skipped", because: "credential.readable" });
  });
});

describe("the clock", () => {
  const at = (ms: number, before: readonly Partial<CheckResult>[] = [{ id: "tls.dps.443" }]) => {
    answer = { status: 404, headers: { date: new Date(noon).toUTCString() } };
    const context = fakeContext({
      clock: new FakeClock(ms),
      dialer: peer.dialer,
      subjects: { dps: dpsSubject(["linked"]) },
    });
    return outcomeOf(clock, context, before);
  };

  test.each([
    [0, []],
    [59_000, []],
    [62_000, ["off (warning)"]],
    [-62_000, ["off (warning)"]],
    [600_000, ["wrong (failed)"]],
    [-86_400_000, ["wrong (failed)"]],
  ])("that is off by %i ms", async (off, codes) => {
    expect(codesOf(await at(noon + off))).toEqual(codes);
  });

  test("that is wrong is told which way, and by how much", async () => {
    expect((await at(noon - 600_000)).summary).toBe("this machine's clock is 10 min behind");
    expect((await at(noon + 90_000)).summary).toBe("this machine's clock is 90 s ahead");
  });

  test("is asked for without credentials, of a service that TLS works with", async () => {
    peer.seen.length = 0;
    await at(noon);
    expect(peer.seen).toMatchObject([{ method: "GET", url: "/", body: "" }]);
    expect(peer.seen[0]?.headers).not.toHaveProperty("authorization");
    const broken = [
      { id: "tls.dps.443", status: "warning", data: { failure: "cut" } },
      { id: "tls.hub.443", status: "skipped" },
    ] as const;
    expect((await at(noon, broken)).status).toBe("skipped");
  });
});

describe("access to a service", () => {
  const ask = (given: HttpsAnswer) => {
    answer = given;
    const subject = hubSubject(["outside"], {}, { host: twins });
    return outcomeOf(
      publicAccess("digital-twins"),
      fakeContext({ dialer: peer.dialer, subjects: { "digital-twins": subject } }),
    );
  };
  const documented = { statusCode: 403, message: "Public network access disabled by policy." };

  test.each<[HttpsAnswer, readonly string[]]>([
    [{ status: 401, body: "{}" }, []],
    [{ status: 404 }, []],
    [{ status: 403, body: JSON.stringify(documented) }, ["public-access-disabled (failed)"]],
    [{ status: 403, body: '{"error":{"message":"No."}}' }, ["forbidden (failed)"]],
    [{ status: 403, body: "<html>" }, ["forbidden (failed)"]],
  ])("that answers %j", async (given, codes) => {
    expect(codesOf(await ask(given))).toEqual(codes);
  });

  test("quotes what the service said, and no more than that", async () => {
    const { findings } = await ask({ status: 403, body: JSON.stringify({ message: "x".repeat(500) }) });
    expect(findings[0]?.text).toBe(`${twins} answered 403: ${"x".repeat(200)}`);
  });
});

test("Device Update beside a private hub is warned about, beside a public one it is fine", async () => {
  const updates = hubSubject(["linked"], {}, { host: "a.api.adu.microsoft.com" });
  const look = async (hub: Subject) =>
    codesOf(await outcomeOf(updatesLinkedHub, fakeContext({ subjects: { hub, "device-update": updates } })));
  expect(await look(hubSubject(["linked"]))).toEqual(["hub-private (warning)"]);
  expect(await look(hubSubject(["public"]))).toEqual([]);
});
