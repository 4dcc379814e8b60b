import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DpsFault, DpsStep } from "../../src/emulator/index.ts";
import { AgentWorld } from "../support/agent-world.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const scratch = new ScratchFolder();
let world: AgentWorld;

beforeAll(async () => {
  world = await AgentWorld.open(scratch);
});
afterAll(() => world[Symbol.asyncDispose]());

let devices = 0;
const newId = (): string => `device-${++devices}`;

/** What the emulated DPS saw of a device: steps and the status of each answer, 0 for none. */
function seenOf(id: string): string[] {
  return world.emulator.events.all.flatMap((event) =>
    (event.kind === "dps.register" || event.kind === "dps.poll") && event.registrationId === id
      ? [`${event.kind.slice(4)} ${event.status}`]
      : [],
  );
}

describe("a registration that somebody has to look at ends the agent, with all that the service told", () => {
  const uuid = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);

  test("401: the key is not the enrollment's", async () => {
    const registration_id = newId();
    world.emulator.dps.enroll({ registrationId: registration_id, attestation: { method: "symmetric_key" } });
    const symmetric_key = Buffer.alloc(32, 1).toString("base64");
    const agent = await world.agent({ method: "symmetric_key", registration_id, symmetric_key });
    await expect(agent.start()).rejects.toMatchObject({
      code: "provisioning.unauthorized",
      service: { status: 401, errorCode: 401002, trackingId: uuid, message: "Unauthorized" },
      remedy: expect.stringContaining("this machine's clock"),
    });
    expect(world.told("closed").at(-1)).toMatchObject({ error: { code: "provisioning.unauthorized" } });
  });

  test("404: there is no such enrollment", async () => {
    const symmetric_key = Buffer.alloc(32, 1).toString("base64");
    const agent = await world.agent({ method: "symmetric_key", registration_id: newId(), symmetric_key });
    await expect(agent.start()).rejects.toMatchObject({
      code: "provisioning.not-found",
      service: { status: 404, errorCode: 404201, trackingId: uuid },
    });
  });

  test("disabled", async () => {
    const agent = await world.device({ registrationId: newId(), disabled: true });
    await expect(agent.start()).rejects.toMatchObject({ code: "provisioning.disabled" });
  });

  test("failed: accepted, and then no hub could be assigned", async () => {
    const failure = { errorCode: 400207, message: "Custom allocation failed with status code: 400" };
    const agent = await world.device({ registrationId: newId(), failure });
    await expect(agent.start()).rejects.toMatchObject({
      code: "provisioning.failed",
      message: expect.stringContaining("Custom allocation failed"),
      service: { errorCode: 400207 },
    });
  });

  test.each([
    ["another 4xx", "register", { status: 400 }, "provisioning.bad-request"],
    ["a 403 to a poll", "poll", { status: 403 }, "provisioning.bad-request"],
    ["a connection that is refused as not authorized", "connect", { connack: 5 }, "transport.unauthorized"],
    ["a connection whose identity is rejected", "connect", { connack: 2 }, "transport.identifier-rejected"],
  ] as const)("%s", async (_, step, fault, code) => {
    const registrationId = newId();
    const agent = await world.device({ registrationId });
    world.emulator.dps.faults.next(registrationId, step, fault);
    await expect(agent.start()).rejects.toMatchObject({ code });
  });
});

describe("what passes by itself is got over within the registration", () => {
  const both = ["register", "poll"] as const satisfies DpsStep[];
  const passing: readonly (readonly [string, DpsFault, number])[] = [
    ["409", { status: 409 }, 409],
    ["412", { status: 412 }, 412],
    ["429 with a delay", { status: 429, retryAfterSeconds: 7 }, 429],
    ["500", { status: 500 }, 500],
    ["503 with a delay", { status: 503, retryAfterSeconds: 7 }, 503],
    ["a dropped connection", "drop", 0],
  ];
  const cases = both.flatMap((step) => passing.map(([name, fault, status]) => ({ name, step, fault, status })));

  test.each(cases)("$name, to a $step", async ({ step, fault, status }) => {
    const registrationId = newId();
    const agent = await world.device({ registrationId });
    world.emulator.dps.faults.next(registrationId, step, fault, 2);
    expect(await agent.start()).toMatchObject({ deviceId: registrationId });
    await agent.close();
    const failed = [`${step} ${status}`, `${step} ${status}`];
    // The operation that was begun is asked about again; there is no second one, also over another connection.
    expect(seenOf(registrationId)).toEqual(
      step === "register"
        ? [...failed, "register 202", "poll 202", "poll 200"]
        : ["register 202", ...failed, "poll 202", "poll 200"],
    );
  });

  test("a connection that is refused as unavailable", async () => {
    const registrationId = newId();
    const agent = await world.device({ registrationId });
    world.emulator.dps.faults.next(registrationId, "connect", { connack: 3 }, 3);
    expect(await agent.start()).toMatchObject({ deviceId: registrationId });
    await agent.close();
  });

  test("an operation that DPS has forgotten: the device registers again", async () => {
    const registrationId = newId();
    const agent = await world.device({ registrationId });
    world.emulator.dps.faults.next(registrationId, "poll", { status: 404 });
    await agent.start();
    await agent.close();
    expect(seenOf(registrationId)).toEqual(["register 202", "poll 404", "register 202", "poll 202", "poll 200"]);
  });
});

describe("silence", () => {
  /** Lets the time pass that the agent waits for one answer. */
  const waitOut = async (kind: "dps.register" | "dps.poll", id: string): Promise<void> => {
    await world.emulator.events.next(kind, { where: ({ registrationId }) => registrationId === id });
    await world.clock.advance(30_000);
  };

  test.each([
    ["no answer", "silence", 0],
    ["an answer to another request", "wrong-rid", 202],
  ] as const)("%s to a registration: the connection is given up for another", async (_, fault, status) => {
    const registrationId = newId();
    const agent = await world.device({ registrationId });
    world.emulator.dps.faults.next(registrationId, "register", fault);
    const started = agent.start();
    await waitOut("dps.register", registrationId);
    await started;
    await agent.close();
    expect(seenOf(registrationId)).toEqual([`register ${status}`, "register 202", "poll 202", "poll 200"]);
    expect(world.emulator.events.of("dps.connected", (event) => event.registrationId === registrationId)).toHaveLength(
      2,
    );
  });

  test("no answer to a poll: the same operation is asked about over another connection", async () => {
    const registrationId = newId();
    const agent = await world.device({ registrationId });
    world.emulator.dps.faults.next(registrationId, "poll", "silence");
    const started = agent.start();
    await waitOut("dps.poll", registrationId);
    await started;
    await agent.close();
    expect(seenOf(registrationId)).toEqual(["register 202", "poll 0", "poll 202", "poll 200"]);
  });

  test("no answer at all is a named error in the end, and the agent waits on", async () => {
    const registrationId = newId();
    const agent = await world.device({ registrationId }, { provisioning: { timeout: "20s" } });
    world.emulator.dps.faults.next(registrationId, "register", "silence");
    const failures = world.told("provisioning-failed").length;
    const started = agent.start();
    await world.emulator.events.next("dps.register", { where: (event) => event.registrationId === registrationId });
    await world.clock.advance(20_000);
    expect(await world.event("provisioning-failed", failures + 1)).toMatchObject({
      error: { code: "provisioning.timeout", message: expect.stringContaining("within 20 s") },
      retryInMs: 0,
    });
    expect(await started).toMatchObject({ deviceId: registrationId });
    await agent.close();
  });
});

test.each(["register", "poll"] as const)(
  "a malformed answer to a %s is a named error, and the agent asks again",
  async (step) => {
    const registrationId = newId();
    const agent = await world.device({ registrationId });
    world.emulator.dps.faults.next(registrationId, step, "malformed");
    const failures = world.told("provisioning-failed").length;
    await agent.start();
    await agent.close();
    expect(world.told("provisioning-failed").slice(failures)).toMatchObject([
      { error: { code: "provisioning.malformed-response" }, retryInMs: 0 },
    ]);
  },
);

test("a throttling that outlasts the registration is waited for by the agent", async () => {
  const registrationId = newId();
  const agent = await world.device({ registrationId }, { provisioning: { timeout: "20s" } });
  world.emulator.dps.faults.next(registrationId, "register", { status: 429, retryAfterSeconds: 60 });
  const failures = world.told("provisioning-failed").length;
  const started = agent.start();
  const failure = await world.event("provisioning-failed", failures + 1);
  expect(failure).toMatchObject({ error: { code: "provisioning.throttled", retryAfterMs: 60_000 }, retryInMs: 60_000 });
  await world.clock.advance(59_999);
  expect(seenOf(registrationId)).toEqual(["register 429"]);
  await world.clock.advance(1);
  expect(await started).toMatchObject({ deviceId: registrationId });
  await agent.close();
});
