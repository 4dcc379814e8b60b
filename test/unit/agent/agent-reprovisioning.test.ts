import { describe, expect, test } from "vitest";
import { watch } from "../../support/agent-record.ts";
import { ScratchFolder } from "../../support/scratch-folder.ts";
import { AgentScene, assignedTo, deviceKey, fault, hubA, hubB, refusedWith } from "./agent-scene.ts";

const scratch = new ScratchFolder();

/** A device that was provisioned in an earlier life. */
const known = (): Promise<AgentScene> => new AgentScene(scratch.path).store(hubA);

describe("a hub that refuses", () => {
  test.each([
    ["does not accept the credential", fault("transport.unauthorized")],
    ["does not know the device", fault("transport.identifier-rejected")],
    ["answers 403", fault("transport.refused", { service: { status: 403 } })],
    ["answers 404", fault("transport.refused", { service: { status: 404 } })],
  ])("which %s: DPS is asked, and the device moves to the hub that it names", async (_, refusal) => {
    await using scene = await known();
    scene.hub.refuseNext(refusal);
    scene.dps.respond(assignedTo(hubB));
    const agent = await scene.create();
    expect(await agent.start()).toMatchObject({ hub: hubB });
    expect(scene.told("provisioning")).toEqual([{ reason: "hub-refused", registrationId: "device-1" }]);
    expect(scene.told("assigned").map(({ hub, origin }) => [hub, origin])).toEqual([
      [hubA, "stored"],
      [hubB, "provisioned"],
    ]);
    expect(scene.told("connected")).toEqual([{ hub: hubB, deviceId: "device-1" }]);
    expect(await scene.stored()).toBe(hubB);
  });

  test("is not asked for by what may be the network's fault", async () => {
    await using scene = await known();
    scene.hub.refuseNext(fault("transport.refused")).refuseNext(fault("endpoint.proxy-failed"));
    scene.hub.refuseNext(fault("endpoint.tls-untrusted"));
    const agent = await scene.create();
    const started = agent.start();
    for (const wait of [1, 2, 3]) await scene.clock.advance((await scene.event("waiting", wait)).delayMs);
    expect(await started).toMatchObject({ hub: hubA });
    expect(scene.dps.connects).toHaveLength(0);
  });

  test("takes along what the old hub has not acknowledged, in order, and nothing that it has", async () => {
    await using scene = await known();
    const agent = await scene.create();
    await agent.start();
    await agent.send({ n: 1 });
    scene.hub.latest.autoAck = false;
    const pending = [2, 3, 4].map((n) => watch(agent.send({ n })));
    await scene.hub.latest.telemetryArrived(4);

    scene.hub.refuseNext(fault("transport.unauthorized"));
    scene.dps.respond(assignedTo(hubB));
    scene.hub.latest.drop();
    await scene.clock.advance((await scene.event("waiting")).delayMs);
    const moved = await scene.hub.connected(2);
    await moved.telemetryArrived(3);
    expect(moved.route).toEqual({ host: hubB });
    expect(moved.telemetry.map(({ payload }) => JSON.parse(Buffer.from(payload).toString()))).toEqual([
      { n: 2 },
      { n: 3 },
      { n: 4 },
    ]);
    await scene.turn();
    expect(pending.map(({ outcome }) => outcome)).toEqual(["done", "done", "done"]);
  });

  test.each([
    ["refuses the device as well", refusedWith(401, 401002), "provisioning.unauthorized"],
    ["does not know the device", refusedWith(404, 404201), "provisioning.not-found"],
    ["throttles", refusedWith(429, 429001, { retryAfterMs: 300_000 }), "provisioning.throttled"],
    ["makes no sense", { status: 200, body: "?" }, "provisioning.malformed-response"],
  ])(
    "while DPS %s: the old assignment is kept, and good again when the hub comes to its senses",
    async (_, answer, code) => {
      await using scene = await known();
      scene.hub.refuseNext(fault("transport.unauthorized"));
      scene.dps.respond(answer);
      const agent = await scene.create();
      const started = agent.start();
      expect(await scene.event("provisioning-failed")).toEqual({ error: expect.objectContaining({ code }) });
      expect(await scene.stored()).toBe(hubA);
      await scene.clock.advance((await scene.event("waiting")).delayMs);
      expect(await started).toMatchObject({ hub: hubA });
      expect(agent.place).toEqual({ hub: hubA, deviceId: "device-1" });
      expect(scene.logged("warn")).toContainEqual(expect.stringContaining("keeping the assignment that there is"));
    },
  );

  test("while DPS does not take an exchanged TPM: whoever waits is told that, and not that it is being seen to", async () => {
    await using scene = await known();
    const missing = fault("tpm.identity-missing");
    scene.hub.refuseNext(missing).refuseNext(missing).refuseNext(fault("transport.closed"));
    scene.dps.respond(refusedWith(400, 400004));
    const agent = await scene.create();
    const started = agent.start();
    const failed = await scene.event("provisioning-failed");
    for (const wait of [1, 2, 3]) await scene.clock.advance((await scene.event("waiting", wait)).delayMs);
    await started;
    expect(scene.told("waiting").map(({ error }) => error)).toEqual([
      missing,
      failed.error,
      expect.objectContaining({ code: "transport.closed" }),
    ]);
    expect(failed.error).toMatchObject({
      code: "provisioning.bad-request",
      remedy: expect.stringContaining("landfall keys tpm"),
    });
  });

  test("while DPS is out of reach: both are tried on, and the hub may win", async () => {
    await using scene = await known();
    scene.hub.refuseNext(fault("transport.unauthorized")).refuseNext(fault("transport.unauthorized"));
    scene.dps.behave(() => fault("transport.closed"));
    const agent = await scene.create();
    const started = agent.start();
    await scene.dps.requested(1);
    // The registration goes on for minutes; the session does not wait for it.
    await scene.clock.advance(3000);
    expect(await started).toMatchObject({ hub: hubA });
    expect(scene.told("provisioning-failed")).toEqual([]);
    expect(scene.told("provisioning")).toHaveLength(1);
    await scene.clock.advance(300_000);
    expect(await scene.event("provisioning-failed")).toMatchObject({ error: { code: "transport.closed" } });
    expect(scene.hub.latest.open).toBe(true);
  });

  test("the same hub again is no reason to move", async () => {
    await using scene = await known();
    scene.hub.refuseNext(fault("transport.unauthorized"));
    scene.dps.respond(assignedTo(hubA));
    const agent = await scene.create();
    const started = agent.start();
    await scene.event("assigned", 2);
    expect(scene.hub.attempts).toBe(1);
    await scene.clock.advance((await scene.event("waiting")).delayMs);
    expect(await started).toMatchObject({ hub: hubA });
  });

  test("an activation blob brings another key, also for the same hub", async () => {
    await using scene = await known();
    scene.dps.respond(assignedTo(hubA, { tpm: { authenticationKey: "AAAA" } }));
    const agent = await scene.create();
    await agent.start();
    await agent.provision();
    await scene.hub.connected(2);
    expect(scene.hub.connections.map(({ open }) => open)).toEqual([false, true]);
    expect(JSON.stringify([scene.records, scene.happened])).not.toContain("AAAA");
  });

  test("and refuses again after it had accepted the device: DPS is asked at once", async () => {
    await using scene = await known();
    scene.dps.behave(() => assignedTo(hubA));
    const agent = await scene.create();
    for (let round = 1; round <= 4; round++) {
      scene.hub.refuseNext(fault("transport.unauthorized"));
      if (round === 1) agent.start().catch(() => {});
      else scene.hub.latest.drop();
      // From the second round on the lost connection is waited out first.
      if (round > 1) await scene.clock.advance((await scene.event("waiting", 2 * round - 2)).delayMs);
      await scene.event("provisioning", round);
      await scene.event("assigned", round + 1);
      await scene.clock.advance((await scene.event("waiting", 2 * round - 1)).delayMs);
      await scene.event("connected", round);
    }
  });

  test("another device id at the same hub is another place", async () => {
    await using scene = await known();
    scene.hub.refuseNext(fault("transport.unauthorized"));
    scene.dps.respond(assignedTo(hubA, { deviceId: "device-1-renamed" }));
    const agent = await scene.create();
    expect(await agent.start()).toEqual({ hub: hubA, deviceId: "device-1-renamed" });
    expect(scene.hub.latest.identity.deviceId).toBe("device-1-renamed");
  });
});

describe("a hub that is out of reach", () => {
  test("ten times in a row: DPS is asked, not earlier", async () => {
    await using scene = await known();
    for (let attempt = 0; attempt < 10; attempt++) scene.hub.refuseNext(fault("endpoint.connect-timeout"));
    scene.dps.respond(assignedTo(hubB));
    const agent = await scene.create();
    const started = agent.start();
    for (let wait = 1; wait <= 9; wait++) {
      await scene.event("waiting", wait);
      expect(scene.told("provisioning")).toEqual([]);
      await scene.clock.advance(scene.told("waiting")[wait - 1]?.delayMs ?? 0);
    }
    expect(await started).toMatchObject({ hub: hubB });
    expect(scene.told("provisioning")).toMatchObject([{ reason: "hub-unreachable" }]);
    expect(scene.hub.attempts).toBe(11);
  });

  test("a connection in between starts the count again", async () => {
    await using scene = await known();
    for (let attempt = 0; attempt < 9; attempt++) scene.hub.refuseNext();
    const agent = await scene.create();
    const started = agent.start();
    for (let wait = 1; wait <= 9; wait++) await scene.clock.advance((await scene.event("waiting", wait)).delayMs);
    await started;
    for (let attempt = 0; attempt < 9; attempt++) scene.hub.refuseNext();
    scene.hub.latest.drop();
    for (let wait = 10; wait <= 19; wait++) await scene.clock.advance((await scene.event("waiting", wait)).delayMs);
    await scene.hub.connected(2);
    expect(scene.dps.connects).toHaveLength(0);
  });
});

describe("provisioning on request", () => {
  test("asks DPS, stores the answer, and moves a session that was fine", async () => {
    await using scene = await known();
    scene.dps.respond(assignedTo(hubB, { payload: [1] }));
    const agent = await scene.create();
    await agent.start();
    expect(await agent.provision()).toEqual({
      assignedHub: hubB,
      deviceId: "device-1",
      substatus: "initialAssignment",
      payload: [1],
    });
    await scene.event("connected", 2);
    expect(agent.place).toEqual({ hub: hubB, deviceId: "device-1", payload: [1] });
    expect(scene.told("provisioning")).toMatchObject([{ reason: "requested" }]);
    expect(scene.told("connected").map(({ hub }) => hub)).toEqual([hubA, hubB]);
    expect(scene.hub.connections.map(({ open }) => open)).toEqual([false, true]);
    expect(await scene.stored()).toBe(hubB);
  });

  test("leaves the connection alone when DPS says the same hub", async () => {
    await using scene = await known();
    scene.dps.respond(assignedTo(hubA));
    const agent = await scene.create();
    await agent.start();
    await agent.provision();
    await scene.turn();
    expect(scene.hub.connections.map(({ open }) => open)).toEqual([true]);
  });

  test("rejects with the named error, and the agent serves on where it is", async () => {
    await using scene = await known();
    scene.dps.respond(refusedWith(404, 404201));
    const agent = await scene.create();
    await agent.start();
    await expect(agent.provision()).rejects.toMatchObject({ code: "provisioning.not-found" });
    await agent.send({ n: 1 });
    expect(await scene.stored()).toBe(hubA);
  });

  test("without a start it only asks and stores; a start uses what it brought", async () => {
    await using scene = await known();
    scene.dps.respond(assignedTo(hubB));
    const agent = await scene.create();
    await agent.provision();
    expect(scene.hub.attempts).toBe(0);
    expect(await scene.stored()).toBe(hubB);
    expect(await agent.start()).toMatchObject({ hub: hubB });
    expect(scene.told("assigned")).toHaveLength(1);
    expect(scene.dps.requests).toHaveLength(1);
  });

  test("joins the registration that is under way", async () => {
    await using scene = new AgentScene(scratch.path);
    scene.dps.respond({ status: 200, body: "?" }).respond(assignedTo(hubA));
    const agent = await scene.create();
    const started = agent.start();
    const { retryInMs = 0 } = await scene.event("provisioning-failed");
    const asked = agent.provision();
    await scene.clock.advance(retryInMs);
    expect((await asked).assignedHub).toBe(hubA);
    expect((await started).hub).toBe(hubA);
    expect(scene.dps.requests).toHaveLength(2);
    expect(scene.told("assigned")).toHaveLength(1);
  });

  test("an abort ends the wait, not the registration", async () => {
    await using scene = await known();
    let answer: (() => void) | undefined;
    scene.dps.behave(async () => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return assignedTo(hubB);
    });
    const agent = await scene.create();
    await agent.start();
    const reason = new Error("enough");
    await expect(agent.provision({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(scene.dps.connects).toHaveLength(0);

    const giveUp = new AbortController();
    const asked = watch(agent.provision({ signal: giveUp.signal }));
    await scene.dps.requested(1);
    giveUp.abort(reason);
    await scene.turn();
    expect(asked.outcome).toBe(reason);
    answer?.();
    await scene.event("connected", 2);
    expect(agent.place?.hub).toBe(hubB);
  });
});

describe("a hub given by hand", () => {
  const manual = {
    source: "manual",
    iothub_hostname: hubA,
    device_id: "device-1",
    authentication: { method: "sas", device_id_pk: deviceKey },
    id_scope: undefined,
    attestation: undefined,
  } as never;

  test("is connected to without DPS, and tried for ever when it refuses", async () => {
    await using scene = new AgentScene(scratch.path);
    for (let attempt = 0; attempt < 12; attempt++) scene.hub.refuseNext(fault("transport.unauthorized"));
    const agent = await scene.create({ provisioning: manual });
    const started = agent.start();
    for (let wait = 1; wait <= 12; wait++) await scene.clock.advance((await scene.event("waiting", wait)).delayMs);
    expect(await started).toEqual({ hub: hubA, deviceId: "device-1" });
    expect(scene.told("assigned")).toEqual([{ hub: hubA, deviceId: "device-1", origin: "configured" }]);
    expect(scene.told("endpoint")).toEqual([{ service: "hub", host: hubA, path: "unknown", reason: "given" }]);
    expect(scene.dps.connects).toHaveLength(0);
    expect(scene.told("provisioning")).toEqual([]);
  });

  test("is the answer to a request for provisioning", async () => {
    await using scene = new AgentScene(scratch.path);
    const agent = await scene.create({ provisioning: manual });
    expect(await agent.provision()).toEqual({ assignedHub: hubA, deviceId: "device-1" });
    expect(scene.happened).toEqual([]);
  });
});
