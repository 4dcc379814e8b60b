import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { watch } from "../../support/agent-record.ts";
import { ScratchFolder } from "../../support/scratch-folder.ts";
import { AgentScene, assignedTo, hubA, hubB, refusedWith } from "./agent-scene.ts";

const scratch = new ScratchFolder();
const malformed = { status: 200, body: "not a registration status" };

describe("the first start", () => {
  test("asks DPS, stores the assignment and connects to the hub; events tell it in order", async () => {
    await using scene = new AgentScene(scratch.path);
    scene.dps.respond(assignedTo(hubA, { payload: { line: 7 } }));
    const agent = await scene.create();
    expect(await agent.start()).toEqual({ hub: hubA, deviceId: "device-1", payload: { line: 7 } });
    await agent.close();

    expect(scene.happened).toEqual([
      ["provisioning", { reason: "first-time", registrationId: "device-1" }],
      ["endpoint", { service: "dps", host: "global.azure-devices-provisioning.net", path: "unknown", reason: "given" }],
      [
        "assigned",
        {
          hub: hubA,
          deviceId: "device-1",
          payload: { line: 7 },
          origin: "provisioned",
          substatus: "initialAssignment",
        },
      ],
      ["endpoint", { service: "hub", host: hubA, path: "unknown", reason: "given" }],
      ["connected", { hub: hubA, deviceId: "device-1" }],
      ["closed", {}],
    ]);
    expect(await scene.stored()).toBe(hubA);
    expect(scene.hub.latest.route).toEqual({ host: hubA });
    expect(scene.dps.openChannels).toBe(0);
  });

  test("announces the model to DPS and to the hub", async () => {
    const model_id = "dtmi:com:example:Press;1";
    await using scene = new AgentScene(scratch.path);
    scene.dps.respond(assignedTo(hubA));
    const agent = await scene.create({
      provisioning: { payload: { site: "a" } },
      configuration: { hub: { model_id } },
    });
    await agent.start();
    expect(scene.dps.requests[0]).toMatchObject({ body: { payload: { modelId: model_id, site: "a" } } });
    expect(scene.hub.latest.identity).toMatchObject({ deviceId: "device-1", modelId: model_id });
  });

  test("a wait of start ends with its signal, the agent does not", async () => {
    await using scene = new AgentScene(scratch.path);
    scene.dps.respond(malformed).respond(assignedTo(hubA));
    const agent = await scene.create();
    const reason = new Error("no patience");
    const giveUp = new AbortController();
    const start = watch(agent.start({ signal: giveUp.signal }));
    await scene.event("provisioning-failed");
    giveUp.abort(reason);
    await scene.turn();
    expect(start.outcome).toBe(reason);

    await scene.clock.advance(2500);
    await scene.event("connected");
    expect((await agent.start()).hub).toBe(hubA);
  });

  test("a signal that has aborted already keeps the agent from starting", async () => {
    await using scene = await new AgentScene(scratch.path).store(hubA);
    const agent = await scene.create();
    const reason = new Error("not today");
    await expect(agent.start({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    // Reads what a start would read first.
    expect(await scene.stored()).toBe(hubA);
    await scene.turn();
    expect([scene.happened, scene.hub.attempts]).toEqual([[], 0]);
  });

  test("two starts are one", async () => {
    await using scene = new AgentScene(scratch.path);
    scene.dps.respond(assignedTo(hubA));
    const agent = await scene.create();
    expect(await Promise.all([agent.start(), agent.start()])).toHaveLength(2);
    expect(scene.dps.requests).toHaveLength(1);
    expect(scene.hub.connections).toHaveLength(1);
  });

  test("what passes by itself is waited for, longer each time, and a success is the end of it", async () => {
    await using scene = new AgentScene(scratch.path);
    scene.dps.respond(malformed).respond(malformed).respond(malformed).respond(assignedTo(hubA));
    const agent = await scene.create();
    const started = agent.start();
    const delaysMs: (number | undefined)[] = [];
    for (const failure of [1, 2, 3]) {
      const { error, retryInMs = 0 } = await scene.event("provisioning-failed", failure);
      expect(error).toMatchObject({ code: "provisioning.malformed-response" });
      delaysMs.push(retryInMs);
      await scene.clock.advance(retryInMs - 1);
      expect(scene.dps.requests).toHaveLength(failure);
      await scene.clock.advance(1);
    }
    // Half of the upper bounds: the random source gives 0.5.
    expect(delaysMs).toEqual([2500, 5000, 10_000]);
    await started;
    expect(scene.told("provisioning")).toHaveLength(4);
  });

  test("waits no less than DPS asked for, however long, and spreads the return on top", async () => {
    await using scene = new AgentScene(scratch.path);
    // More than a whole registration may take.
    scene.dps.respond(refusedWith(429, 429001, { retryAfterMs: 300_000 })).respond(assignedTo(hubA));
    const agent = await scene.create();
    const started = agent.start();
    const { error, retryInMs = 0 } = await scene.event("provisioning-failed");
    expect(error).toMatchObject({ code: "provisioning.throttled", service: { errorCode: 429001 } });
    expect(retryInMs).toBeGreaterThan(300_000);
    await scene.clock.advance(300_000);
    expect(scene.dps.requests).toHaveLength(1);
    await scene.clock.advance(retryInMs - 300_000);
    await started;
  });

  test.each([
    ["provisioning.unauthorized", 401, 401002],
    ["provisioning.not-found", 404, 404201],
    ["provisioning.bad-request", 400, 400004],
  ])("%s is for somebody to mend: the agent ends with it", async (code, status, errorCode) => {
    await using scene = new AgentScene(scratch.path);
    scene.dps.respond(refusedWith(status, errorCode));
    const agent = await scene.create();
    const sent = watch(agent.send({ n: 1 }));
    const error: unknown = await agent.start().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code, service: { errorCode, trackingId: "track-1", message: "Said by DPS" } });
    expect(scene.eventNames).toEqual(["provisioning", "endpoint", "provisioning-failed", "closed"]);
    expect(scene.told("provisioning-failed")).toEqual([{ error }]);
    expect(scene.told("closed")).toEqual([{ error }]);
    await scene.turn();
    expect(sent.outcome).toMatchObject({ code: "hub.closed", cause: error });
    await expect(agent.start()).rejects.toBe(error);
    await expect(agent.provision()).rejects.toMatchObject({ code: "hub.closed", cause: error });
    expect(scene.clock.pending).toEqual([]);
  });
});

describe("a later start", () => {
  test("uses the stored assignment and does not ask DPS", async () => {
    await using scene = await new AgentScene(scratch.path).store(hubA);
    const agent = await scene.create();
    expect(await agent.start()).toMatchObject({ hub: hubA });
    expect(scene.dps.connects).toHaveLength(0);
    expect(scene.told("assigned")).toEqual([{ hub: hubA, deviceId: "device-1", origin: "stored" }]);
  });

  test("asks all the same with always_reprovision_on_startup", async () => {
    await using scene = await new AgentScene(scratch.path).store(hubA);
    scene.dps.respond(assignedTo(hubB));
    const agent = await scene.create({ provisioning: { always_reprovision_on_startup: true } });
    expect(await agent.start()).toMatchObject({ hub: hubB });
    expect(scene.told("provisioning")).toMatchObject([{ reason: "startup" }]);
    expect(scene.hub.attempts).toBe(1);
    expect(await scene.stored()).toBe(hubB);
  });

  test.each([
    ["refuses", refusedWith(401, 401002)],
    ["does not know the device", refusedWith(404, 404201)],
    ["makes no sense", malformed],
    ["throttles for longer than a registration may take", refusedWith(429, 429001, { retryAfterMs: 300_000 })],
  ])("keeps the stored assignment when DPS %s", async (_, answer) => {
    await using scene = await new AgentScene(scratch.path).store(hubA);
    scene.dps.respond(answer);
    const agent = await scene.create({ provisioning: { always_reprovision_on_startup: true } });
    expect(await agent.start()).toMatchObject({ hub: hubA });
    expect(await scene.stored()).toBe(hubA);
    expect(scene.logged("warn").join()).toContain("keeping the assignment that there is");
  });

  test("asks DPS when the stored assignment is for another registration", async () => {
    await using scene = await new AgentScene(scratch.path).store(hubA);
    scene.dps.respond(assignedTo(hubB));
    const agent = await scene.create({ provisioning: { id_scope: "0ne00000002" } });
    expect(await agent.start()).toMatchObject({ hub: hubB });
  });
});

describe("the state directory", () => {
  test("a corrupt assignment is set aside, and DPS is asked", async () => {
    await using scene = new AgentScene(scratch.path);
    await mkdir(scene.directory, { mode: 0o700 });
    await writeFile(join(scene.directory, "assignment.json"), '{"schema":"landfall.assi');
    scene.dps.respond(assignedTo(hubA));
    const agent = await scene.create();
    await agent.start();
    expect(await scene.stored()).toBe(hubA);
    expect((await readdir(scene.directory)).sort()).toEqual(["assignment.json", "assignment.json.corrupt"]);
    expect(await readFile(join(scene.directory, "assignment.json.corrupt"), "utf8")).toContain("landfall.assi");
    expect(scene.records.find(({ fields }) => fields.error)?.fields.error).toMatchObject({ code: "state.corrupt" });
  });

  test("a disk that takes nothing keeps no device off its hub", async () => {
    await using scene = new AgentScene(scratch.path);
    // What a full disk does to the temporary file, a directory in its place does to the rename.
    await mkdir(join(scene.directory, "assignment.json"), { recursive: true, mode: 0o700 });
    scene.dps.respond(assignedTo(hubA));
    const agent = await scene.create();
    expect(await agent.start()).toMatchObject({ hub: hubA });
    const told = new Map<string, unknown>(scene.happened);
    expect(told.get("not-stored")).toMatchObject({ error: { code: "state.unwritable" } });
    expect(scene.logged("warn")).toContainEqual(expect.stringContaining("the assignment could not be stored"));
    expect(await readdir(scene.directory)).toEqual(["assignment.json"]);
  });

  test("a directory into which everybody may write is not written to, and keeps no device off its hub either", async () => {
    await using scene = await new AgentScene(scratch.path).store(hubA);
    await chmod(scene.directory, 0o777);
    scene.dps.respond(assignedTo(hubB));
    const agent = await scene.create({ provisioning: { always_reprovision_on_startup: true } });
    expect(await agent.start()).toMatchObject({ hub: hubB });
    expect(scene.logged("warn").join()).toContain(`chmod 700 ${scene.directory}`);
    expect(await scene.stored()).toBe(hubA);
  });

  test("a path below a file is no directory: DPS is asked at every start", async () => {
    const file = await scratch.write("not-a-directory", "");
    await using scene = new AgentScene(file);
    scene.dps.respond(assignedTo(hubA));
    const agent = await scene.create();
    expect(await agent.start()).toMatchObject({ hub: hubA });
    expect(scene.logged("warn")).toContainEqual(expect.stringContaining("the stored assignment cannot be used"));
    expect(scene.logged("warn")).toContainEqual(expect.stringContaining("the assignment could not be stored"));
  });
});

describe("listeners", () => {
  test("one that throws is reported as uncaught and breaks nothing", async () => {
    const uncaught: unknown[] = [];
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => uncaught.push(error));
    try {
      await using scene = new AgentScene(scratch.path);
      scene.dps.respond(malformed).respond(assignedTo(hubA));
      const agent = await scene.create();
      const broken = ["provisioning", "provisioning-failed", "endpoint", "assigned", "connected", "closed"] as const;
      for (const name of broken) {
        agent.prependListener(name, () => {
          throw new Error(name);
        });
      }
      const started = agent.start();
      await scene.clock.sleeping();
      await scene.clock.advance(2500);
      await started;
      await agent.send({ n: 1 });
      await agent.close();
      await scene.turn();
      expect(uncaught.map((error) => (error as Error).message)).toEqual([
        "provisioning",
        "endpoint",
        "provisioning-failed",
        "provisioning",
        "assigned",
        "endpoint",
        "connected",
        "closed",
      ]);
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const other of others) process.on("uncaughtException", other);
    }
  });

  test("one that closes the agent as soon as it is assigned ends the start", async () => {
    await using scene = new AgentScene(scratch.path);
    scene.dps.respond(assignedTo(hubA));
    const agent = await scene.create();
    agent.once("assigned", () => void agent.close());
    await expect(agent.start()).rejects.toMatchObject({ code: "hub.closed" });
    expect(scene.hub.attempts).toBe(0);
    expect(scene.clock.pending).toEqual([]);
  });
});
