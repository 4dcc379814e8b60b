import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dpsRoutes } from "../../../../../src/emulator/https/dps-routes.ts";
import { judgeIdentity } from "../../../../../src/emulator/hub/identity-check.ts";
import type { JsonObject } from "../../../../../src/json.ts";
import { answerOf, askRoutes } from "../../../../support/ask-routes.ts";
import { EmulatedDps } from "../../../../support/emulated-dps.ts";
import { activationVectors, PaperTpm } from "../../../../support/paper-tpm.ts";

const version = "api-version=2021-06-01";
const device = "/0ne00ABCDEF/registrations/dev";
const unauthorized = { status: 401, json: { errorCode: 401002, message: "Unauthorized" } };
const minuteMs = 60_000;

const { endorsementKey, storageRootKey } = activationVectors;

/** The same TPM after it was cleared: the endorsement key stays, the storage root key is another one. */
const cleared = new PaperTpm({ endorsementKey, storageRootKey: endorsementKey });

/** A device with a TPM that is enrolled, and the steps of its registration. */
function enrolled({ tpm = new PaperTpm(), ...enrollment }: { tpm?: PaperTpm; storageRootKey?: string } = {}) {
  const emulated = new EmulatedDps({ assigningPolls: 0 });
  const attestation = { method: "tpm", endorsementKey: endorsementKey.public, ...enrollment } as const;
  emulated.dps.enroll({ registrationId: "dev", deviceId: "boiler", attestation });
  const routes = dpsRoutes(emulated.dps);

  const ask = (line: Parameters<typeof askRoutes>[1], token?: string, tpmMember?: unknown) => {
    const body = JSON.stringify(tpmMember === undefined ? {} : { tpm: tpmMember });
    const headers = token === undefined ? {} : { authorization: token };
    return answerOf(askRoutes(routes, line, { headers, body }));
  };
  const put = (token?: string, tpmMember?: unknown, path = device) =>
    ask(`PUT ${path}/register?${version}`, token, tpmMember);
  const poll = (operationId: unknown, token?: string) =>
    ask(`GET ${device}/operations/${operationId}?${version}`, token);
  const lookUp = (token?: string, tpmMember?: unknown) => ask(`POST ${device}?${version}`, token, tpmMember);

  /** A token that the TPM signs with the key it has. */
  const token = (resource = "0ne00ABCDEF/registrations/dev", tail = "&skn=registration", signer = tpm): string => {
    const [sr, se] = [encodeURIComponent(resource), Math.ceil(emulated.clock.now() / 1000) + 3600];
    const signature = encodeURIComponent(signer.sign(`${sr}\n${se}`).toString("base64"));
    return `SharedAccessSignature sr=${sr}&sig=${signature}&se=${se}${tail}`;
  };
  /** Lets the TPM take in the key of an answer. */
  const takeIn = (answer: { readonly authenticationKey?: unknown }, into = tpm): void =>
    into.activate(Buffer.from(String(answer.authenticationKey), "base64"));
  const challenge = (tpmMember: unknown = tpm.evidence): void => takeIn(put(undefined, tpmMember).json);
  /** The whole way to the assignment; the TPM has the key for the hub then. */
  const register = (): JsonObject => {
    challenge();
    const proof = token();
    const { json } = poll(put(proof, tpm.evidence).json.operationId, proof);
    const state = json.registrationState as JsonObject;
    takeIn(state.tpm as JsonObject);
    return state;
  };
  /** Whether the hub lets the device in with a token of its TPM. */
  const isLetIn = (host = "hub-a.azure-devices.net"): boolean => {
    const hosts = ["hub-a.azure-devices.net", "hub-b.azure-devices.net"];
    const known = emulated.hubs.flatMap(({ registry }) => registry.get("boiler") ?? []);
    const evidence = { sasToken: token(`${host}/devices/boiler`, ""), certificates: [], hosts };
    return known.some((each) => judgeIdentity(each, { ...evidence, nowMs: emulated.clock.now() }).ok);
  };
  return { emulated, tpm, put, poll, lookUp, token, takeIn, challenge, register, isLetIn };
}

describe("a TPM", () => {
  test("is challenged with a key that only it can read", () => {
    const { put, tpm, emulated } = enrolled();
    const { status, json, headers } = put(undefined, tpm.evidence);
    expect(status).toBe(401);
    expect(Object.keys(json).sort()).toEqual(["authenticationKey", "keyName", "message"]);
    expect(json.keyName).toBe("registration");
    expect(headers).not.toHaveProperty("x-ms-error-code");
    const { key, note } = tpm.open(Buffer.from(String(json.authenticationKey), "base64"));
    expect(key).toHaveLength(32);
    expect(note).toBe("0ne00ABCDEF/registrations/dev");
    expect(JSON.stringify(emulated.logged)).not.toContain(key.toString("base64"));
  });

  test("is assigned after a signature with that key, and gets another key for the hub", () => {
    const { register, isLetIn, emulated } = enrolled();
    const state = register();
    expect(state).toMatchObject({ status: "assigned", deviceId: "boiler", substatus: "initialAssignment" });
    expect(Object.keys(state.tpm as JsonObject)).toEqual(["authenticationKey"]);
    expect(isLetIn(String(state.assignedHub))).toBe(true);
    expect(emulated.events.of("dps.register").map(({ status }) => status)).toEqual([401, 202]);
  });

  test("needs the key from the assignment at the hub; the one for the registration does not do", () => {
    const { challenge, put, poll, token, tpm, isLetIn } = enrolled();
    challenge();
    const proof = token();
    expect(poll(put(proof, tpm.evidence).json.operationId, proof).status).toBe(200);
    expect(isLetIn()).toBe(false);
  });

  test("gets a new key with every registration, and the one before is void", () => {
    const { register, isLetIn, tpm, emulated } = enrolled();
    register();
    const first = tpm.sign("x");
    register();
    expect(tpm.sign("x")).not.toEqual(first);
    expect(isLetIn()).toBe(true);
    expect(emulated.hubs.flatMap(({ deviceIds }) => deviceIds)).toEqual(["boiler"]);
  });

  test("need not send its keys twice", () => {
    const { challenge, put, token } = enrolled();
    challenge();
    expect(put(token()).status).toBe(202);
  });

  test("is told the same at every poll of one registration", () => {
    const { challenge, put, poll, lookUp, token, tpm } = enrolled();
    challenge();
    const proof = token();
    const { operationId } = put(proof, tpm.evidence).json;
    const state = poll(operationId, proof).json.registrationState;
    expect(poll(operationId, proof).json.registrationState).toEqual(state);
    expect(lookUp(proof).json).toEqual(state);
  });

  test("is challenged for a look-up as well", () => {
    const { register, lookUp, takeIn, token, tpm } = enrolled();
    const state = register();
    takeIn(lookUp(undefined, tpm.evidence).json);
    expect(lookUp(token()).json).toEqual(state);
  });
});

describe("a challenge", () => {
  test("is answered once: another registration needs another", () => {
    const { challenge, put, token, tpm } = enrolled();
    challenge();
    const proof = token();
    expect(put(proof, tpm.evidence).status).toBe(202);
    expect(put(proof, tpm.evidence)).toMatchObject(unauthorized);
    expect(put(proof, tpm.evidence).json).not.toHaveProperty("authenticationKey");
  });

  test("does not wait for longer than five minutes", async () => {
    const { challenge, put, token, emulated } = enrolled();
    challenge();
    await emulated.clock.advance(5 * minuteMs - 1);
    expect(put(token()).status).toBe(202);
    challenge();
    await emulated.clock.advance(5 * minuteMs);
    expect(put(token())).toMatchObject(unauthorized);
  });

  test("replaces the one before, but not what was proven for the polls of a registration", () => {
    const { challenge, put, poll, token, tpm } = enrolled();
    challenge();
    const late = token();
    challenge();
    expect(put(late)).toMatchObject(unauthorized);
    const proof = token();
    const { operationId } = put(proof, tpm.evidence).json;
    challenge();
    expect(poll(operationId, proof).status).toBe(200);
  });

  test.each<[string, (it: ReturnType<typeof enrolled>) => string]>([
    ["a token for another device", ({ token }) => token("0ne00ABCDEF/registrations/dev2")],
    ["a token under a policy", ({ token }) => token(undefined, "&skn=owner")],
    ["a token with another signature", ({ token }) => token().replace(/sig=[^&]+/, "sig=AAAA")],
    ["no token", () => "secret"],
  ])("is not answered by %s, and stays open", (_what, answer) => {
    const it = enrolled();
    it.challenge();
    expect(it.put(answer(it))).toMatchObject(unauthorized);
    expect(it.put(it.token()).status).toBe(202);
  });

  test("has to be there: refused is a token nobody has asked for, and a poll without one", () => {
    const { tpm, put, poll, token } = enrolled();
    tpm.activate(Buffer.from(activationVectors.blobs[0]?.blob ?? "", "base64"));
    expect(put(token())).toMatchObject(unauthorized);
    expect(poll("4.0.x", token())).toMatchObject(unauthorized);
    expect(poll("4.0.x")).toMatchObject(unauthorized);
  });

  test("is not answered by a poll", () => {
    const { challenge, poll, token } = enrolled();
    challenge();
    expect(poll("4.0.x", token())).toMatchObject(unauthorized);
  });
});

describe("refused is", () => {
  const notTheKey = { errorCode: 400004, message: "Endorsement key is invalid, or does not match the Enrollment." };

  test.each<[string, unknown, object]>([
    ["another endorsement key", { ...cleared.evidence, endorsementKey: storageRootKey.public }, notTheKey],
    ["something that is no key", { endorsementKey: "AToAAQ" }, notTheKey],
    [
      "a storage root key that is none",
      { endorsementKey: endorsementKey.public, storageRootKey: "ARoAAQ==" },
      { errorCode: 400004, message: "Storage root key is invalid." },
    ],
    [
      "a storage root key that nobody knows",
      { endorsementKey: endorsementKey.public },
      { errorCode: 400004, message: "Storage root key is invalid." },
    ],
    ["keys that are not text", { endorsementKey: 1 }, { errorCode: 400004 }],
    ["a tpm that is no object", [], { errorCode: 400004 }],
    ["a device that shows nothing", undefined, { errorCode: 401002 }],
    ["a device that shows null", null, { errorCode: 401002 }],
  ])("%s", (_what, member, json) => {
    const { put } = enrolled();
    const answer = put(undefined, member);
    expect(answer).toMatchObject({ status: Math.floor(Number(answer.json.errorCode) / 1000), json });
    expect(answer.json).not.toHaveProperty("authenticationKey");
  });

  test("any nonsense, in an answer of its own", () => {
    const { put, challenge, token } = enrolled();
    const key = fc.oneof(fc.constant(endorsementKey.public), fc.string(), fc.base64String());
    const member = fc.oneof(fc.jsonValue(), fc.record({ endorsementKey: key, storageRootKey: fc.base64String() }));
    challenge();
    fc.assert(
      fc.property(fc.option(fc.string(), { nil: undefined }), member, (nonsense, tpm) => {
        expect([400, 401]).toContain(put(nonsense, tpm).status);
      }),
    );
    challenge();
    expect(put(token()).status).toBe(202);
  });

  test("the right answer with another endorsement key beside it", () => {
    const { challenge, put, token, tpm } = enrolled();
    challenge();
    expect(put(token(), { endorsementKey: storageRootKey.public })).toMatchObject({ json: notTheKey });
    expect(put(token(), tpm.evidence).status).toBe(202);
  });

  test("a TPM under another id scope", () => {
    const { put, tpm } = enrolled();
    const elsewhere = put(undefined, tpm.evidence, "/0ne00FFFFFF/registrations/dev");
    expect(elsewhere).toMatchObject(unauthorized);
    expect(elsewhere.json).not.toHaveProperty("authenticationKey");
  });

  test("a TPM that nobody has enrolled", () => {
    const { put, tpm } = enrolled();
    const stranger = put(undefined, tpm.evidence, "/0ne00ABCDEF/registrations/stranger");
    expect(stranger).toMatchObject({ status: 404, json: { errorCode: 404201 } });
  });

  test("a TPM over MQTT, even one that can sign", async () => {
    const { emulated, challenge, tpm, token, put } = enrolled();
    const body = JSON.stringify({ registrationId: "dev", tpm: tpm.evidence });
    const overMqtt = { status: 401, body: unauthorized.json };
    expect(await emulated.outcome("dev", { body })).toMatchObject(overMqtt);
    challenge();
    const [refused] = await emulated.register("dev", { password: token() });
    expect(refused).toMatchObject(overMqtt);
    expect(emulated.logged.map(({ message }) => message)).toContainEqual(
      expect.stringContaining("a TPM is attested over HTTPS only"),
    );
    expect(put(token()).status).toBe(202);
  });
});

describe("the storage root key", () => {
  const withoutRoot = { endorsementKey: endorsementKey.public };

  test("of a TPM that was cleared is taken; the endorsement key is what counts", () => {
    const { register, put, takeIn, token } = enrolled({ storageRootKey: storageRootKey.public });
    register();
    takeIn(put(undefined, cleared.evidence).json, cleared);
    expect(put(token(undefined, undefined, cleared), cleared.evidence).status).toBe(202);
  });

  test("of the enrollment stands in for one that is not sent", () => {
    const { challenge, put, token } = enrolled({ storageRootKey: storageRootKey.public });
    challenge(withoutRoot);
    expect(put(token()).status).toBe(202);
  });

  test("of the last registration is remembered, that of a challenge nobody has answered is not", () => {
    const { register, put, takeIn } = enrolled();
    register();
    put(undefined, cleared.evidence);
    expect(() => takeIn(put(undefined, withoutRoot).json)).not.toThrow();
  });
});

describe("an enrollment of a TPM", () => {
  const { dps } = new EmulatedDps();
  const tpm = { method: "tpm", endorsementKey: endorsementKey.public } as const;

  test.each<[string, Parameters<typeof dps.enroll>[0], string]>([
    [
      "a key that is none",
      { registrationId: "a", attestation: { ...tpm, endorsementKey: "AAAA" } },
      "endorsementKey: expected",
    ],
    [
      "a storage root key that is none",
      { registrationId: "a", attestation: { ...tpm, storageRootKey: "AAAA" } },
      "storageRootKey: expected",
    ],
    ["a group", { group: "g", attestation: tpm as never }, "expected one enrollment for each TPM, found a group"],
  ])("is rejected with %s", (_what, options, message) => {
    expect(() => dps.enroll(options)).toThrow(message);
  });

  test("has no symmetric keys", () => {
    expect(() => dps.enroll({ registrationId: "dev", attestation: tpm }).primaryKey).toThrow("no symmetric keys");
  });
});
