import { describe, expect, test } from "vitest";
import type { Agent } from "../../src/agent/agent.ts";
import type { Hub, ReceivedTelemetry } from "../../src/emulator/index.ts";
import { AgentWorld, WorldClock } from "../support/agent-world.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const scratch = new ScratchFolder();
const minute = 60_000;
const carriers = ["mqtt", "mqtt-ws"] as const;

const numberOf = (message: ReceivedTelemetry): number => (message.json() as { readonly n: number }).n;
const countTo = (total: number): number[] => Array.from({ length: total }, (_, n) => n);

/** Numbered messages, and what the hubs had when each was acknowledged. */
class Numbered {
  readonly sends: Promise<void>[] = [];
  readonly #agent: Agent;
  readonly #hubs: readonly Hub[];
  /** For each acknowledged message: how many messages had arrived at that moment. */
  readonly #arrivedAtAck = new Map<number, number>();

  constructor(agent: Agent, hubs: readonly Hub[]) {
    this.#agent = agent;
    this.#hubs = hubs;
  }

  async send(count: number): Promise<void> {
    await Promise.all(countTo(count).map(() => this.#sendNext()));
  }

  /** Everything that arrived, in order, whatever the hub. */
  get arrivals(): number[] {
    const all = this.#hubs.flatMap(({ received }) => received);
    return all.sort((a, b) => a.enqueuedAtMs - b.enqueuedAtMs).map(numberOf);
  }

  /** Nothing was lost, nothing overtook, and nothing came again after it had been acknowledged. */
  expectFaithful(): void {
    const { arrivals } = this;
    expect([...new Set(arrivals)]).toEqual(countTo(this.sends.length));
    const again = arrivals.filter((n, position) => position >= (this.#arrivedAtAck.get(n) ?? Number.POSITIVE_INFINITY));
    expect(again).toEqual([]);
  }

  #sendNext(): Promise<void> {
    const n = this.sends.length;
    const sent = this.#agent.send({ n }).then(() => {
      const arrived = this.#hubs.reduce((sum, { received }) => sum + received.length, 0);
      this.#arrivedAtAck.set(n, arrived);
    });
    this.sends.push(sent);
    return sent;
  }
}

describe.each(carriers)("telemetry over %s", (carrier) => {
  test("survives connections that are cut again and again: nothing lost, nothing out of order, nothing again after its acknowledgement", async () => {
    await using world = await AgentWorld.open(scratch);
    const agent = await world.device({}, { carrier });
    const numbered = new Numbered(agent, [world.hub]);
    const watching = new AbortController();
    const cutting = (async () => {
      for await (const { sequenceNumber } of world.hub.telemetry({ signal: watching.signal })) {
        const connected = world.hub.connections.length > 0;
        if (sequenceNumber % 45 === 0 && connected) world.hub.dropConnection("device-1");
      }
    })().catch(() => {});
    const sent = numbered.send(400);
    await agent.start();
    await sent;
    watching.abort();
    await cutting;
    numbered.expectFaithful();
    expect(world.told("disconnected").length).toBeGreaterThanOrEqual(5);
    // A line that breaks is nobody who takes over.
    expect(world.told("displaced")).toEqual([]);
  });

  test("goes on while short-lived tokens are renewed ahead of their end: nothing lost, nothing sent twice", async () => {
    await using world = await AgentWorld.open(scratch, { recordLimit: 1_000_000 });
    const agent = await world.device({}, { carrier, configuration: { hub: { token_lifetime: "1m" } } });
    const numbered = new Numbered(agent, [world.hub]);
    await agent.start();
    let over = false;
    // There is always something on the way, also when a connection is replaced.
    const lanes = countTo(8).map(async () => {
      while (!over) await numbered.send(1);
    });
    for (let step = 0; step < 120; step++) {
      await world.clock.advance(5000);
      await agent.whenConnected();
    }
    over = true;
    await Promise.all(lanes);
    expect(numbered.sends.length).toBeGreaterThan(120);
    expect(numbered.arrivals).toEqual(countTo(numbered.sends.length));
    expect(world.told("renewed").length).toBeGreaterThanOrEqual(12);
    expect(world.told("disconnected")).toEqual([]);
    const ends = world.emulator.events.of("hub.disconnected").map(({ reason }) => reason);
    expect(new Set(ends)).toEqual(new Set(["the client disconnected"]));
  });
});

test("telemetry goes along when the hub refuses the device and DPS says another one", async () => {
  await using world = await AgentWorld.open(scratch, { hubs: ["hub-a", "hub-b"] });
  const attestation = { method: "symmetric_key" } as const;
  const enrollment = world.emulator.dps.enroll({ registrationId: "device-1", attestation, hubs: ["hub-a"] });
  const symmetric_key = enrollment.primaryKey;
  const agent = await world.agent({ method: "symmetric_key", registration_id: "device-1", symmetric_key });
  const [hubA, hubB] = [world.emulator.hub("hub-a"), world.emulator.hub("hub-b")];
  const numbered = new Numbered(agent, [hubA, hubB]);
  await agent.start();
  await numbered.send(50);

  enrollment.update({ hubs: ["hub-b"] });
  const rest = numbered.send(100);
  hubA.disableDevice("device-1");
  await rest;
  numbered.expectFaithful();
  expect(agent.place).toMatchObject({ hub: hubB.hostName });
  expect(hubB.received.length).toBeGreaterThan(0);
  expect(world.told("provisioning").map(({ reason }) => reason)).toEqual(["first-time", "hub-refused"]);
  expect(world.told("assigned").at(-1)).toMatchObject({ hub: hubB.hostName, substatus: "deviceDataMigrated" });
  await agent.close();

  const again = await world.agent({ method: "symmetric_key", registration_id: "device-1", symmetric_key });
  expect(await again.start()).toMatchObject({ hub: hubB.hostName });
  expect(world.told("provisioning")).toHaveLength(2);
});

describe("a clock that is wrong", () => {
  /** A device whose clock differs from that of the services. */
  async function skewed(byMs: number) {
    const services = new WorldClock();
    const own = new WorldClock(services.now() + byMs);
    const world = await AgentWorld.open(scratch, { clock: services }, own);
    /** In steps that leave a reconnect the time it takes. */
    const pass = async (agent: Agent, ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 5000) {
        await Promise.all([own.advance(5000), services.advance(5000)]);
        await agent.whenConnected();
      }
    };
    return { world, pass };
  }

  test.each([
    ["ten minutes ahead", 10 * minute],
    ["ten minutes behind", -10 * minute],
    ["two hours ahead", 120 * minute],
  ])("by %s is survived, renewals included", async (_, skewMs) => {
    const { world, pass } = await skewed(skewMs);
    await using _world = world;
    const agent = await world.device();
    await agent.start();
    const numbered = new Numbered(agent, [world.hub]);
    for (let elapsed = 0; elapsed < 150; elapsed++) {
      const sent = numbered.send(1);
      await pass(agent, minute);
      await sent;
    }
    numbered.expectFaithful();
    expect(world.told("renewed").length).toBeGreaterThanOrEqual(3);
    expect(world.told("disconnected")).toEqual([]);
  });

  test("by two hours behind makes expired tokens only: DPS refuses, and the error names the clock", async () => {
    const { world } = await skewed(-120 * minute);
    await using _ = world;
    const agent = await world.device();
    await expect(agent.start()).rejects.toMatchObject({
      code: "provisioning.unauthorized",
      remedy: expect.stringContaining("this machine's clock"),
    });
  });

  test("by two hours behind and a stored assignment: the hub refuses, and both errors name the clock", async () => {
    const { world } = await skewed(0);
    await using _ = world;
    const agent = await world.device();
    await agent.start();
    await agent.close();
    const [enrollment] = world.emulator.dps.enrollments;
    const late = new WorldClock(world.clock.now() - 120 * minute);
    const symmetric_key = enrollment?.primaryKey;
    const behind = await world.agent(
      { method: "symmetric_key", registration_id: "device-1", symmetric_key },
      // So that it does not try again and again while the test looks.
      { clock: late, random: () => 0.5 },
    );
    behind.start().catch(() => {});
    const { error } = await world.event("waiting");
    expect(error).toMatchObject({
      code: "transport.unauthorized",
      remedy: expect.stringContaining("this machine's clock"),
    });
    expect(await world.event("provisioning-failed")).toMatchObject({
      error: { code: "provisioning.unauthorized", remedy: expect.stringContaining("this machine's clock") },
    });
  });
});
