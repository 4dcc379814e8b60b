import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { Attestation } from "../../../src/attestation/attestation.ts";
import { deferred } from "../../../src/deferred.ts";
import { LandfallError } from "../../../src/errors.ts";
import type { Credential } from "../../../src/keys/credential.ts";
import { createLogger, type LogRecord } from "../../../src/log.ts";
import { type Registration, register } from "../../../src/provisioning/register.ts";
import { Secret } from "../../../src/secret.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { FakeDpsTransport } from "../../../src/testing/fake-dps-transport.ts";

const operationId = "4.d0a6.e717";
const accepted = { status: 202, retryAfterMs: 3000, body: { operationId, status: "assigning" } };
const assigned = {
  status: 200,
  body: {
    operationId,
    status: "assigned",
    registrationState: { assignedHub: "hub.example", deviceId: "dev-1", payload: { colour: "red" } },
  },
};
const assignment = { assignedHub: "hub.example", deviceId: "dev-1", payload: { colour: "red" } };

const sas = (text: string): Credential => ({
  kind: "sas",
  token: async ({ expiresAtMs }) => ({ text: new Secret(text), expiresAtMs }),
});

/** An attestation of the simplest kind; what a test is about, it overrides. */
function attestation(overrides: Partial<Attestation> = {}): Attestation {
  return {
    method: "symmetric_key",
    registrationId: "dev-1",
    evidence: async () => ({}),
    credential: async () => sas("token"),
    hubCredential: async () => sas("token"),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
    ...overrides,
  };
}

function world(overrides: Partial<Registration> = {}) {
  const transport = new FakeDpsTransport();
  const clock = new FakeClock();
  const logged: LogRecord[] = [];
  const registration: Registration = {
    transport,
    route: { host: "global.azure-devices-provisioning.net" },
    idScope: "0ne00000001",
    attestation: attestation(),
    timeoutMs: 300_000,
    clock,
    random: () => 0.5,
    log: createLogger("trace", (record) => logged.push(record)),
    ...overrides,
  };
  return { transport, clock, logged, registration };
}

/** Lets time pass until the registration is over. */
async function outcome<T>(running: Promise<T>, clock: FakeClock): Promise<T> {
  let over = false;
  const settled = running.finally(() => {
    over = true;
  });
  settled.catch(() => {});
  while (!over) await clock.advance(500);
  return settled;
}

describe("register", () => {
  test("registers, polls after the named delay, and resolves with the assignment", async () => {
    const { transport, clock, registration, logged } = world();
    transport.respond(accepted).respond(assigned);
    const startedAtMs = clock.elapsed();
    const running = register(registration);
    await expect(outcome(running, clock)).resolves.toEqual(assignment);
    expect(clock.elapsed() - startedAtMs).toBeGreaterThanOrEqual(3000);
    expect(transport.requests).toEqual([
      { kind: "register", body: { registrationId: "dev-1" } },
      { kind: "status", operationId },
    ]);
    expect(transport.connects).toHaveLength(1);
    expect(transport.connects[0]).toMatchObject({
      route: { host: "global.azure-devices-provisioning.net" },
      identity: { idScope: "0ne00000001", registrationId: "dev-1", credential: { kind: "sas" } },
    });
    expect(transport.openChannels).toBe(0);
    expect(clock.pending).toEqual([]);
    expect(logged.at(-1)).toMatchObject({
      level: "info",
      part: "provisioning",
      fields: { assignedHub: "hub.example", deviceId: "dev-1" },
    });
  });

  test("sends evidence, custom payload and model id", async () => {
    const { transport, clock, registration } = world({
      attestation: attestation({ evidence: async () => ({ tpm: { endorsementKey: "AToA" } }) }),
      payload: { site: "north" },
      modelId: "dtmi:com:example:Thermostat;1",
    });
    transport.respond(assigned);
    await outcome(register(registration), clock);
    expect(transport.requests[0]).toEqual({
      kind: "register",
      body: {
        registrationId: "dev-1",
        tpm: { endorsementKey: "AToA" },
        payload: { modelId: "dtmi:com:example:Thermostat;1", site: "north" },
      },
    });
  });

  test("a connection lost while polling: opens another and asks about the same operation", async () => {
    const { transport, clock, registration, logged } = world();
    transport.behave((_, { index }) => (index === 1 ? new LandfallError("transport.closed", "cut") : undefined));
    transport.behave((request) => (request.kind === "register" ? accepted : assigned));
    await expect(outcome(register(registration), clock)).resolves.toEqual(assignment);
    expect(transport.requests.map(({ kind }) => kind)).toEqual(["register", "status", "status"]);
    expect(transport.connects).toHaveLength(2);
    expect(transport.openChannels).toBe(0);
    expect(logged.filter(({ level }) => level === "warn")).toMatchObject([
      { message: "trying again", fields: { error: { code: "transport.closed" } } },
    ]);
  });

  test("a connection that cannot be made is tried again", async () => {
    const { transport, clock, registration } = world();
    transport.refuseNext(new LandfallError("endpoint.connect-failed", "no route")).respond(assigned);
    await expect(outcome(register(registration), clock)).resolves.toEqual(assignment);
    expect(transport.connects).toHaveLength(2);
  });

  test("a refused credential ends it with what the service told, and nothing stays open", async () => {
    const { transport, clock, registration } = world();
    transport.respond({ status: 401, body: { errorCode: 401002, trackingId: "t-1", message: "Unauthorized" } });
    await expect(outcome(register(registration), clock)).rejects.toMatchObject({
      code: "provisioning.unauthorized",
      service: { status: 401, errorCode: 401002, trackingId: "t-1", message: "Unauthorized" },
    });
    expect(transport.openChannels).toBe(0);
    expect(clock.pending).toEqual([]);
  });

  test("ends at the deadline, also in the middle of a request that nobody answers", async () => {
    const { transport, clock, registration } = world({ timeoutMs: 10_000 });
    transport.behave(() => deferred<never>().promise);
    await expect(outcome(register(registration), clock)).rejects.toMatchObject({ code: "provisioning.timeout" });
    expect(clock.elapsed()).toBe(10_000);
    expect(transport.openChannels).toBe(0);
  });

  test("an error that is none of ours is passed on as it is", async () => {
    const bug = new TypeError("a bug in a transport");
    const { transport, clock, registration } = world();
    transport.behave(() => bug);
    await expect(outcome(register(registration), clock)).rejects.toBe(bug);
    expect(transport.openChannels).toBe(0);
  });
});

describe("a TPM challenge", () => {
  const challenge = { status: 401, body: { keyName: "registration", authenticationKey: "AQIDBA==" } };

  test("is answered by the attestation; the new credential goes onto a new connection", async () => {
    const answered: Uint8Array[] = [];
    const { transport, clock, registration, logged } = world({
      attestation: attestation({
        method: "tpm",
        credential: async () => undefined,
        answer: async (blob) => {
          answered.push(blob);
          return sas("signed by the activated key");
        },
      }),
    });
    transport.behave((_, { identity }) => (identity.credential === undefined ? challenge : assigned));
    await expect(outcome(register(registration), clock)).resolves.toEqual(assignment);
    expect(answered).toEqual([new Uint8Array([1, 2, 3, 4])]);
    expect(transport.connects.map(({ identity }) => identity.credential?.kind)).toEqual([undefined, "sas"]);
    expect(transport.openChannels).toBe(0);
    expect(inspect(logged, { depth: 9 })).not.toContain("AQIDBA");
  });

  test("is asked for again, with new evidence, when its answer is not taken", async () => {
    let evidence = 0;
    const { transport, clock, registration } = world({
      attestation: attestation({
        method: "tpm",
        credential: async () => undefined,
        evidence: async () => ({ tpm: ++evidence }),
        answer: async () => sas("signed by the activated key"),
      }),
    });
    const answers = [challenge, { status: 401, body: { errorCode: 401002 } }, challenge, assigned];
    transport.behave(() => answers.shift());
    await expect(outcome(register(registration), clock)).resolves.toEqual(assignment);
    expect(transport.connects.map(({ identity }) => identity.credential?.kind)).toEqual([
      ...[undefined, "sas", undefined, "sas"],
    ]);
    expect(evidence).toBe(2);
  });

  test("that the attestation cannot answer is refused by name", async () => {
    const { transport, clock, registration } = world();
    transport.respond(challenge);
    await expect(outcome(register(registration), clock)).rejects.toMatchObject({
      code: "attestation.unexpected-challenge",
      message: expect.stringContaining("symmetric_key"),
    });
  });
});

describe("an abort", () => {
  // Of a kind that would be tried again if it came from a transport.
  const reason = new LandfallError("transport.closed", "enough");

  test("before the start: nothing is dialled", async () => {
    const { transport, registration } = world();
    await expect(register(registration, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(transport.connects).toEqual([]);
  });

  test.each([
    ["the credential", attestation({ credential: () => deferred<never>().promise })],
    ["the evidence", attestation({ evidence: () => deferred<never>().promise })],
  ])("while waiting for %s", async (_, slow) => {
    const { transport, clock, registration } = world({ attestation: slow });
    const stop = new AbortController();
    const running = register(registration, { signal: stop.signal });
    await clock.sleeping();
    await clock.advance(0);
    stop.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(transport.openChannels).toBe(0);
  });

  test("while waiting for an answer", async () => {
    const { transport, registration } = world();
    transport.behave(() => deferred<never>().promise);
    const stop = new AbortController();
    const running = register(registration, { signal: stop.signal });
    await transport.requested(1);
    stop.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(transport.openChannels).toBe(0);
  });

  test("between two polls", async () => {
    const { transport, clock, registration } = world();
    transport.respond(accepted);
    const stop = new AbortController();
    const running = register(registration, { signal: stop.signal });
    await clock.sleeping(2);
    stop.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(transport.openChannels).toBe(0);
    expect(clock.pending).toEqual([]);
  });
});

describe("a pair that DPS does not support", () => {
  test("is refused before anything is dialled", async () => {
    const transport = new FakeDpsTransport({
      name: "mqtt",
      abilities: { credentials: ["certificate", "sas"], challenge: false },
    });
    const { registration } = world({ transport, attestation: attestation({ method: "tpm" }) });
    await expect(register(registration)).rejects.toMatchObject({ code: "attestation.unsupported-pair" });
    expect(transport.connects).toEqual([]);
  });
});
