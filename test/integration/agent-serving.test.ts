import { describe, expect, test } from "vitest";
import type { Agent } from "../../src/agent/agent.ts";
import { startDuties } from "../../src/agent/duties.ts";
import type { DesiredChange } from "../../src/hub/desired-document.ts";
import { silentLogger } from "../../src/log.ts";
import { Sightings } from "../../src/testing/sightings.ts";
import { watch } from "../support/agent-record.ts";
import { AgentWorld } from "../support/agent-world.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const scratch = new ScratchFolder();
const carriers = ["mqtt", "mqtt-ws"] as const;

const payloadOf = ({ payload }: { readonly payload: Uint8Array }): string => Buffer.from(payload).toString();

/** Goes to the hub and back: what the device wrote before has arrived. */
const roundTrip = (agent: Agent): Promise<void> => agent.send({ round: "trip" });

/** Ids of the messages that the hub holds for completed. */
const completed = ({ emulator }: AgentWorld): string[] =>
  emulator.events.of("hub.message-completed").map(({ messageId }) => messageId);

describe.each(carriers)("cloud-to-device messages over %s", (carrier) => {
  test("are completed one by one, when the loop asks for the next", async () => {
    await using world = await AgentWorld.open(scratch);
    const agent = await world.device({}, { carrier });
    const messages = agent.messages();
    await agent.start();
    for (const messageId of ["m-1", "m-2"]) {
      world.hub.sendToDevice("device-1", { payload: `do ${messageId}`, messageId, properties: { urgent: "yes" } });
    }
    const first = (await messages.next()).value;
    expect(first).toMatchObject({ messageId: "m-1", properties: { urgent: "yes" } });
    expect(payloadOf(first)).toBe("do m-1");
    await roundTrip(agent);
    expect(completed(world)).toEqual([]);
    expect((await messages.next()).value).toMatchObject({ messageId: "m-2" });
    await roundTrip(agent);
    expect(completed(world)).toEqual(["m-1"]);
  });

  test("are delivered again when the loop throws, and when the connection is lost first", async () => {
    await using world = await AgentWorld.open(scratch);
    const agent = await world.device({}, { carrier });
    const failing = (async () => {
      for await (const _ of agent.messages()) throw new Error("the disk is full");
    })();
    await agent.start();
    const { completed: done } = world.hub.sendToDevice("device-1", { payload: "keep me", messageId: "m-1" });
    await expect(failing).rejects.toThrow("the disk is full");

    const messages = agent.messages();
    expect((await messages.next()).value).toMatchObject({ messageId: "m-1" });
    world.hub.dropConnection("device-1");
    expect((await messages.next()).value).toMatchObject({ messageId: "m-1" });
    await roundTrip(agent);
    expect(completed(world)).toEqual([]);
    void messages.next();
    await done;
  });
});

test("a message arrives with all its properties, byte for byte", async () => {
  await using world = await AgentWorld.open(scratch);
  const agent = await world.device();
  await agent.start();
  const properties = { "a b&c=d": "ä/€?#%", empty: "", alarm: "false" };
  const system = { messageId: "m/1", correlationId: "c-1", userId: "u-1", component: "press" };
  await agent.send({ level: 3 }, { properties, ...system });
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  await agent.send(bytes, { contentType: "application/octet-stream" });
  const [json, raw] = world.hub.received;
  const json8 = { contentType: "application/json", contentEncoding: "utf-8" };
  expect(json).toMatchObject({ properties, ...system, ...json8, qos: 1, duplicate: false });
  expect(json?.json()).toEqual({ level: 3 });
  expect(raw?.payload).toEqual(Buffer.from(bytes));
  expect(raw).toMatchObject({ contentType: "application/octet-stream", properties: {} });
  await expect(agent.send(new Uint8Array(262_145))).rejects.toMatchObject({ code: "transport.message-too-large" });
  await agent.send(new Uint8Array(262_144));
  expect(world.hub.received.at(-1)?.payload.length).toBe(262_144);
});

describe("direct methods", () => {
  test("are answered, also those that nobody handles, that throw, that take too long, that say too much", async () => {
    await using world = await AgentWorld.open(scratch);
    const agent = await world.device();
    agent.onMethod("echo", ({ payload }) => ({ status: 200, payload: { saw: payload } }));
    agent.onMethod("broken", () => {
      throw new Error("password 1234 at line 7");
    });
    agent.onMethod("slow", () => new Promise(() => {}), { timeoutMs: 5000 });
    agent.onMethod("chatty", () => ({ status: 200, payload: "x".repeat(131_072) }));
    await agent.start();
    const call = (name: string, payload?: string) => world.hub.invokeMethod("device-1", name, payload);

    expect(await call("echo", "ä€😀")).toEqual({ status: 200, payload: { saw: "ä€😀" } });
    expect(await call("echo")).toEqual({ status: 200, payload: { saw: null } });
    expect(await call("nothing")).toMatchObject({ status: 404 });

    const broken = await call("broken");
    expect(broken.status).toBe(500);
    expect(JSON.stringify(broken)).not.toMatch(/1234|line 7| at /);

    const slow = watch(call("slow"));
    await roundTrip(agent);
    await world.clock.advance(4999);
    expect(slow.outcome).toBe("pending");
    await world.clock.advance(1);
    await roundTrip(agent);
    expect(slow.outcome).toMatchObject({ status: 504 });

    expect(await call("chatty")).toMatchObject({ status: 500 });
    expect(await call("echo", "still there")).toMatchObject({ status: 200 });
    const errors = world.records.filter(({ level }) => level === "error").map(({ message }) => message);
    expect(errors).toEqual([
      expect.stringMatching(/"broken".*1234/),
      expect.stringMatching(/"slow".*5000 ms/),
      expect.stringMatching(/"chatty".*131072/),
    ]);
  });
});

test("the method reprovision is answered, and the device moves to the hub that DPS says now", async () => {
  await using world = await AgentWorld.open(scratch, { hubs: ["hub-a", "hub-b"] });
  const agent = await world.device({ hubs: ["hub-a"] });
  const ending = new AbortController();
  const parts = { settings: world.settings, clock: world.clock, log: silentLogger, tell: () => {} };
  const duties = startDuties(agent, parts, { signal: ending.signal });
  await agent.start();
  world.emulator.dps.enrollments[0]?.update({ hubs: ["hub-b"] });
  expect(await world.hub.invokeMethod("device-1", "reprovision")).toMatchObject({ status: 202 });
  expect(await world.event("connected", 2)).toMatchObject({ hub: world.emulator.hub("hub-b").hostName });
  await roundTrip(agent);
  ending.abort();
  await duties;
});

describe("the twin", () => {
  test("has no gap after a lost connection, and nothing is applied twice", async () => {
    await using world = await AgentWorld.open(scratch);
    const agent = await world.device({ initialTwin: { desired: { speed: 1, mode: "a", gone: true } } });
    const changes = new Sightings<DesiredChange>();
    const following = (async () => {
      for await (const change of agent.desiredChanges()) changes.add(change);
    })();
    await agent.start();
    expect(await changes.nth(1)).toMatchObject({ desired: { speed: 1, mode: "a", gone: true } });
    world.hub.updateDesired("device-1", { speed: 2 });
    expect(await changes.nth(2)).toMatchObject({ patch: { speed: 2 } });

    world.hub.refuse("unavailable");
    world.hub.dropConnection("device-1");
    await world.event("disconnected");
    for (const patch of [{ speed: 3 }, { gone: null }, { speed: 4, extra: { deep: 1 } }]) {
      world.hub.updateDesired("device-1", patch);
    }
    world.hub.refuse(undefined);
    expect(await changes.nth(3)).toMatchObject({
      patch: { speed: 4, gone: null, extra: { deep: 1 } },
      desired: { speed: 4, mode: "a", extra: { deep: 1 } },
    });

    // The same once more, when nothing has changed: nothing is news.
    world.hub.dropConnection("device-1");
    await world.event("connected", world.told("connected").length + 1);
    expect((await agent.twin()).desired).toMatchObject({ speed: 4 });
    world.hub.updateDesired("device-1", { speed: 5 });
    expect(await changes.nth(4)).toMatchObject({ patch: { speed: 5 } });
    const versions = changes.all.map(({ version }) => version);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    await agent.close();
    await following;
  });

  test("reports are merged, in order, and outlive a lost connection; a refusal is named", async () => {
    await using world = await AgentWorld.open(scratch);
    const agent = await world.device();
    await agent.start();
    const first = await agent.report({ firmware: "1", old: true });
    world.hub.dropConnection("device-1");
    const versions = await Promise.all([agent.report({ firmware: "2" }), agent.report({ firmware: "3", old: null })]);
    expect(versions).toEqual([first + 1, first + 2]);
    expect(world.hub.twin("device-1").reported).toMatchObject({ firmware: "3" });
    expect(world.hub.twin("device-1").reported).not.toHaveProperty("old");
    await expect(agent.report({ "no.dots": 1 })).rejects.toMatchObject({ code: "hub.twin-rejected" });
  });
});

describe("a hub in trouble", () => {
  test.each(carriers)(
    "that has gone silent is noticed by keep-alive over %s, and the device connects anew",
    async (carrier) => {
      await using world = await AgentWorld.open(scratch);
      const agent = await world.device({}, { carrier, configuration: { hub: { keep_alive: "10s" } } });
      await agent.start();
      await agent.send({ n: 1 });
      world.hub.silent(true);
      const sent = watch(agent.send({ n: 2 }));
      for (let waited = 0; waited < 30_000 && world.told("disconnected").length === 0; waited += 1000) {
        await world.clock.advance(1000);
      }
      world.hub.silent(false);
      expect(world.told("disconnected")).toMatchObject([{ error: { code: "transport.timeout" } }]);
      await world.event("connected", 2);
      await roundTrip(agent);
      expect(sent.outcome).toBe("done");
      // What went into the silence was lost there, and came over the next connection.
      expect(world.hub.received.map((message) => message.text())).toEqual(['{"n":1}', '{"n":2}', '{"round":"trip"}']);
    },
  );

  test("that turns clients away for a while is tried again, and DPS is asked after ten times", async () => {
    await using world = await AgentWorld.open(scratch);
    const agent = await world.device({}, { random: () => 0.5 });
    await agent.start();
    world.hub.refuse("unavailable");
    world.hub.dropConnection("device-1");
    for (let wait = 1; wait <= 10; wait++) {
      const { delayMs } = await world.event("waiting", wait);
      expect(world.told("provisioning")).toHaveLength(1);
      await world.clock.advance(delayMs);
    }
    await world.event("provisioning", 2);
    expect(world.told("provisioning").at(-1)).toMatchObject({ reason: "hub-unreachable" });
    world.hub.refuse(undefined);
    const { delayMs } = await world.event("waiting", 11);
    await world.clock.advance(delayMs);
    await world.event("connected", 2);
    await roundTrip(agent);
  });

  test("where two devices use one id: both say so and stand back, instead of fighting for ever", async () => {
    await using world = await AgentWorld.open(scratch);
    const agent = await world.device();
    await agent.start();
    const connections = () => world.emulator.events.of("hub.connected").length;
    const { primaryKey } = world.emulator.dps.enrollments[0] as { readonly primaryKey: string };
    const identity = { method: "symmetric_key", registration_id: "device-1", symmetric_key: primaryKey };
    const rival = await world.agent(identity);
    rival.start().catch(() => {});
    const { error, delayMs } = await world.event("displaced");
    expect(error).toMatchObject({ code: "hub.displaced", message: expect.stringContaining("another client") });
    expect(delayMs).toBeGreaterThanOrEqual(150_000);
    expect(world.records.filter(({ level }) => level === "error")).toHaveLength(1);

    // Whoever did not stand back has the hub for himself now.
    await Promise.race([agent.whenConnected(), rival.whenConnected()]);
    const made = connections();
    expect(made).toBeLessThanOrEqual(8);
    await world.clock.advance(delayMs - 1);
    expect(connections()).toBe(made);
    expect(world.told("provisioning")).toHaveLength(1);
  });
});
