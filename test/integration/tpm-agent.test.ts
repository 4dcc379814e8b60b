import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { AgentOptions } from "../../src/agent/agent.ts";
import { registrationIdOf } from "../../src/attestation/tpm-attestation.ts";
import { TpmIdentity } from "../../src/keys/tpm/tpm-identity.ts";
import { AgentWorld } from "../support/agent-world.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { Swtpm } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";
import { tpmAt } from "../support/tpm-at.ts";

const overHttps = { provisioning: { transport: "https" } };

/** Challenged, answered, under way, assigned. */
const registration = ["register 401", "register 202", "poll 202", "poll 200"];

describe.skipIf(lacks("swtpm"))("a device with a TPM", () => {
  const swtpm = new Swtpm();
  const exchanged = new Swtpm();
  const scratch = new ScratchFolder();
  let registrationId: string;
  let world: AgentWorld;

  /** Steps at DPS with the status of each answer, since the last look. */
  let looked = 0;
  const steps = (): string[] => {
    const seen = world.emulator.events.all.slice(looked);
    looked = world.emulator.events.all.length;
    return seen.flatMap((event) =>
      event.kind === "dps.register" || event.kind === "dps.poll" ? [`${event.kind.slice(4)} ${event.status}`] : [],
    );
  };

  const attestation = (): object => ({ method: "tpm", tpm: swtpm.location });

  beforeAll(async () => {
    await using identity = new TpmIdentity({ tpm: tpmAt(swtpm.location) });
    const { endorsementKey } = await identity.rootKeys();
    registrationId = registrationIdOf(endorsementKey);
    world = await AgentWorld.open(scratch, { hubs: ["hub-a", "hub-b"] });
    world.emulator.dps.enroll({
      registrationId,
      attestation: { method: "tpm", endorsementKey: endorsementKey.toString("base64") },
      hubs: ["hub-a"],
    });
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => {
    steps();
  });

  test("answers the challenge, is assigned, and signs for its hub", async () => {
    await using agent = await world.agent(attestation(), overHttps);
    expect(agent.registrationId).toBe(registrationId);
    expect(registrationId).toMatch(/^[a-z2-7]{52}$/);
    const { hub, deviceId } = await agent.start();
    await agent.send({ from: "a TPM" });
    expect(world.emulator.hub(hub).received.at(-1)).toMatchObject({ deviceId, qos: 1 });
    expect(steps()).toEqual(registration);
    expect(world.hub.connections.find((one) => one.deviceId === deviceId)?.credential).toBe("sas");
    expect(await swtpm.leftovers()).toBe("");
  });

  test("signs again after a restart of machine and agent, without asking DPS", async () => {
    await swtpm.restart();
    await using agent = await world.agent(attestation(), overHttps);
    await agent.start();
    await agent.send("again");
    expect(steps()).toEqual([]);
  });

  test("that was provisioned beforehand serves without asking DPS", async () => {
    await swtpm.tool("tpm2_clear");
    {
      await using agent = await world.agent(attestation(), overHttps);
      expect(await agent.provision()).toMatchObject({ deviceId: registrationId });
    }
    expect(steps()).toEqual(registration);
    await using agent = await world.agent(attestation(), overHttps);
    await agent.start();
    await agent.send("provisioned beforehand");
    expect(steps()).toEqual([]);
  });

  test("comes in over MQTT by WebSocket as well", async () => {
    await using agent = await world.agent(attestation(), { ...overHttps, carrier: "mqtt-ws" });
    await agent.start();
    await agent.send("by WebSocket");
    expect(steps()).toEqual([]);
  });

  test("registers again when the key is gone, because the TPM was cleared", async () => {
    await swtpm.tool("tpm2_clear");
    expect(await swtpm.tool("tpm2_getcap", "handles-persistent")).toBe("");
    await using agent = await world.agent(attestation(), overHttps);
    expect(agent.registrationId).toBe(registrationId);
    await agent.start();
    await agent.send("still the same TPM");
    expect(steps()).toEqual(registration);
    expect(await swtpm.leftovers()).toBe("");
  });

  test("moves to another hub with the key of the second assignment", async () => {
    await using agent = await world.agent(attestation(), overHttps);
    await agent.start();
    world.emulator.dps.enrollments[0]?.update({ hubs: ["hub-b"] });
    await agent.provision();
    await agent.whenConnected();
    await agent.send("from elsewhere");
    expect(world.emulator.hub("hub-b").received.at(-1)).toMatchObject({ deviceId: registrationId });
  });

  test("waits for a TPM that is away, and goes on when it is back", async () => {
    await using agent = await world.agent({ ...attestation(), registration_id: registrationId }, overHttps);
    const { hub, deviceId } = await agent.start();
    await swtpm.kill();
    const [waits, connections] = [world.told("waiting").length, world.told("connected").length];
    world.emulator.hub(hub).dropConnection(deviceId);
    expect(await world.event("waiting", waits + 1)).toMatchObject({ error: { code: "transport.closed" } });
    expect(await world.event("waiting", waits + 2)).toMatchObject({ error: { code: "tpm.unavailable" } });
    await swtpm.start();
    await world.event("connected", connections + 1);
    await agent.send("back");
  });

  test("is made without its TPM when its id is known, and registers when the TPM is there", async () => {
    await swtpm.tool("tpm2_clear");
    await swtpm.kill();
    const waits = world.told("waiting").length;
    await using agent = await world.agent({ ...attestation(), registration_id: registrationId }, overHttps);
    const started = agent.start();
    expect(await world.event("waiting", waits + 1)).toMatchObject({ error: { code: "tpm.unavailable" } });
    await swtpm.start();
    expect(await started).toMatchObject({ deviceId: registrationId });
    await agent.send("there it is");
  });

  test("is challenged as often as it takes while its TPM is away", async () => {
    await swtpm.tool("tpm2_clear");
    await using agent = await world.agent({ ...attestation(), registration_id: registrationId }, overHttps);
    const challenged = () => world.emulator.events.next("dps.register", { from: "now" });
    const started = agent.start();
    await challenged();
    await swtpm.kill();
    for (let times = 1; times <= 5; times++) await challenged();
    await swtpm.start();
    expect(await started).toMatchObject({ deviceId: registrationId });
    await agent.send("at last");
    expect(await swtpm.leftovers()).toBe("");
  });

  test("is challenged anew when its answer is not taken", async () => {
    await swtpm.tool("tpm2_clear");
    await using agent = await world.agent(attestation(), overHttps);
    steps();
    const started = agent.start();
    await world.emulator.events.next("dps.register", { from: "now" });
    world.emulator.dps.faults.next(registrationId, "register", { status: 401, body: { errorCode: 401002 } });
    expect(await started).toMatchObject({ deviceId: registrationId });
    await agent.send("at the second time");
    expect(steps()).toEqual(["register 401", "register 401", ...registration]);
  });

  test("is refused while its enrollment names the TPM before the one it has, and comes in once that is changed", async () => {
    const place = { method: "tpm", tpm: exchanged.location, registration_id: registrationId };
    await using agent = await world.agent(place, overHttps);
    const failures = world.told("provisioning-failed").length;
    const started = agent.start();
    const refused = await world.emulator.events.next("dps.register", { from: "now" });
    expect(refused).toMatchObject({ registrationId, status: 400 });
    const { error } = await world.event("provisioning-failed", failures + 1);
    expect(error).toMatchObject({
      service: { errorCode: 400004 },
      remedy: expect.stringContaining("landfall keys tpm"),
    });
    expect((await world.event("waiting", world.told("waiting").length + 1)).error).toBe(error);
    await using identity = new TpmIdentity({ tpm: tpmAt(exchanged.location) });
    const endorsementKey = (await identity.rootKeys()).endorsementKey.toString("base64");
    const [enrollment] = world.emulator.dps.enrollments;
    if (enrollment) world.emulator.dps.unenroll(enrollment);
    world.emulator.dps.enroll({ registrationId, attestation: { method: "tpm", endorsementKey } });
    expect(await started).toMatchObject({ deviceId: registrationId });
    await agent.send("with another TPM");
    expect(world.records.some(({ message }) => message.includes("Endorsement key is invalid, or does not match"))).toBe(
      true,
    );
    expect(await exchanged.leftovers()).toBe("");
  });

  test.each(["mqtt", "mqtt-ws"] as const)("is refused over %s when the agent is made", async (transport) => {
    const made = world.agent({ method: "tpm", tpm: "device:/dev/absent" }, { provisioning: { transport } });
    await expect(made).rejects.toMatchObject({
      code: "attestation.unsupported-pair",
      message: expect.stringMatching(`"${transport}" does not; transports that do: https`),
    });
  });

  test("cannot be made without its TPM when its id is not known", async () => {
    const made = world.agent({ method: "tpm", tpm: "device:/dev/absent" }, overHttps);
    await expect(made).rejects.toMatchObject({
      code: "tpm.unavailable",
      message: "The TPM /dev/absent cannot be opened: there is no such device.",
    });
  });

  test("is waited for when its id is not known either, if whoever makes it wants that", async () => {
    await swtpm.kill();
    const waits: unknown[] = [];
    const onWaiting: NonNullable<AgentOptions["onWaiting"]> = ({ error }) => {
      waits.push(error);
      if (waits.length === 2) void swtpm.start();
    };
    await using agent = await world.agent(attestation(), { ...overHttps, onWaiting });
    expect(agent.registrationId).toBe(registrationId);
    expect(waits.slice(0, 2)).toEqual(Array(2).fill(expect.objectContaining({ code: "tpm.unavailable" })));
  });
});
