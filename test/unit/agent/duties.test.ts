import { describe, expect, test } from "vitest";
import type { Agent } from "../../../src/agent/agent.ts";
import { type DutyEvent, startDuties } from "../../../src/agent/duties.ts";
import { settingsFrom } from "../../../src/config/settings-from.ts";
import type { JsonObject, JsonValue } from "../../../src/json.ts";
import { watch } from "../../support/agent-record.ts";
import { ScratchFolder } from "../../support/scratch-folder.ts";
import { AgentScene, assignedTo, deviceKey, fault, hubA, hubB, refusedWith, type SceneOptions } from "./agent-scene.ts";

const scratch = new ScratchFolder();
const minute = 60_000;

/** An agent with its duties, connected to hub A. */
class DutyScene extends AgentScene {
  readonly done: DutyEvent[] = [];
  readonly ending = new AbortController();
  ended: { outcome: unknown } = { outcome: "not begun" };

  static async begin(configuration: SceneOptions["configuration"] = {}, options: SceneOptions = {}) {
    const scene = new DutyScene(scratch.path);
    await scene.store(hubA);
    const agent = await scene.create({ ...options, configuration });
    scene.ended = watch(scene.begin(agent));
    return { scene, agent };
  }

  static async connected(configuration: SceneOptions["configuration"] = {}, options: SceneOptions = {}) {
    const { scene, agent } = await DutyScene.begin(configuration, options);
    await agent.start();
    // A change that is pushed during the first reading of the twin leads to another reading, a moment later.
    while (!scene.done.some(({ event }) => event === "desired-changed")) await scene.turn();
    return { scene, agent };
  }

  begin(agent: Agent): Promise<void> {
    const { settings, clock, log } = this;
    const tell = (event: DutyEvent): void => void this.done.push(event);
    return startDuties(agent, { settings, clock, log, tell }, { signal: this.ending.signal });
  }

  /** System messages that the hub has. */
  get messages(): number {
    return this.hub.connections.reduce((sum, { telemetry }) => sum + telemetry.length, 0);
  }

  /** What the twin says about the agent. */
  get reported(): JsonValue | undefined {
    return this.hub.twin.reported.landfall;
  }

  /** Changes the desired properties; resolves when the device has said what became of it. */
  async desire(patch: JsonObject): Promise<void> {
    const answers = this.hub.latest.reportedPatches.length;
    this.hub.latest.pushDesired(patch);
    await this.hub.latest.reported(answers + 1);
    await this.turn();
  }
}

const off = { telemetry: { interval: 0 } };

describe("system telemetry", () => {
  test("goes out as soon as the device is connected, then at the interval", async () => {
    const { scene, agent } = await DutyScene.begin({ telemetry: { interval: "1m" } });
    await using _ = scene;
    await agent.start();
    const message = await scene.hub.latest.telemetryArrived(1);
    expect(message).toMatchObject({ properties: { kind: "system" }, contentType: "application/json" });
    expect(JSON.parse(Buffer.from(message.payload).toString())).toHaveProperty("uptimeSeconds");
    await scene.clock.sleeping(1);
    await scene.clock.advance(minute - 1);
    expect(scene.messages).toBe(1);
    await scene.clock.advance(1);
    await scene.hub.latest.telemetryArrived(2);
    await scene.turn();
    expect(scene.done.filter(({ event }) => event === "telemetry-acknowledged")).toHaveLength(2);
  });

  test("is not made before there is a connection: it would be old news by then", async () => {
    const { scene, agent } = await DutyScene.begin({ telemetry: { interval: "1m" } });
    await using _ = scene;
    // Takes longer than a look at the machine.
    await scene.stored();
    await scene.turn();
    const own = agent.send({ n: 1 }, { properties: { kind: "own" } });
    await agent.start();
    await own;
    await scene.hub.latest.telemetryArrived(2);
    expect(scene.hub.latest.telemetry.map(({ properties }) => properties?.kind)).toEqual(["own", "system"]);
  });

  test("does not pile up while there is no connection", async () => {
    const { scene, agent } = await DutyScene.connected({ telemetry: { interval: "1s" } });
    await using _ = scene;
    await scene.hub.latest.telemetryArrived(1);
    await scene.clock.sleeping(1);
    for (let attempt = 0; attempt < 5; attempt++) scene.hub.refuseNext();
    scene.hub.latest.drop();
    for (let wait = 1; wait <= 6; wait++) await scene.clock.advance((await scene.event("waiting", wait)).delayMs);
    await agent.whenConnected();
    await scene.hub.latest.telemetryArrived(1);
    await scene.turn();
    expect(scene.hub.latest.telemetry).toHaveLength(1);
  });

  test("is silent with an interval of 0, until the twin says otherwise", async () => {
    const { scene } = await DutyScene.connected(off);
    await using _ = scene;
    await scene.clock.advance(24 * 60 * minute);
    expect(scene.messages).toBe(0);
    await scene.desire({ landfall: { telemetryInterval: 30 } });
    await scene.clock.advance(30_000);
    await scene.hub.latest.telemetryArrived(1);
  });
});

describe("the interval in the twin", () => {
  test("applies at once, counted from the change, and is acknowledged with its version", async () => {
    const { scene } = await DutyScene.connected({ telemetry: { interval: "1h" } });
    await using _ = scene;
    await scene.hub.latest.telemetryArrived(1);
    await scene.clock.advance(minute);
    await scene.desire({ landfall: { telemetryInterval: 10 } });
    expect(scene.reported).toMatchObject({
      __t: "c",
      telemetryInterval: { value: 10, ac: 200, ad: "applied", av: 2 },
    });
    await scene.clock.advance(9999);
    expect(scene.messages).toBe(1);
    await scene.clock.advance(1);
    await scene.hub.latest.telemetryArrived(2);
    expect(scene.done).toContainEqual({
      event: "desired-changed",
      version: 2,
      patch: { landfall: { telemetryInterval: 10 } },
    });
  });

  test.each([[0.5], [86_401], [-1], ["10"], [true], [[10]], [{ seconds: 10 }]])(
    "of %j is refused, and the old one stays",
    async (value) => {
      const { scene } = await DutyScene.connected({ telemetry: { interval: "1m" } });
      await using _ = scene;
      await scene.hub.latest.telemetryArrived(1);
      await scene.clock.sleeping(1);
      await scene.desire({ landfall: { telemetryInterval: value } });
      expect(scene.reported).toMatchObject({
        telemetryInterval: { value, ac: 400, ad: "expected 0 or 1 to 86400 seconds", av: 2 },
      });
      await scene.clock.advance(minute);
      await scene.hub.latest.telemetryArrived(2);
    },
  );

  test("of 0 turns system telemetry off; deleted, the configuration counts again", async () => {
    const { scene } = await DutyScene.connected({ telemetry: { interval: "1m" } });
    await using _ = scene;
    await scene.hub.latest.telemetryArrived(1);
    await scene.desire({ landfall: { telemetryInterval: 0 } });
    await scene.clock.advance(60 * minute);
    expect(scene.messages).toBe(1);
    await scene.desire({ landfall: { telemetryInterval: null } });
    expect(scene.reported).not.toHaveProperty("telemetryInterval");
    await scene.clock.advance(minute - 1);
    expect(scene.messages).toBe(1);
    await scene.clock.advance(1);
    await scene.hub.latest.telemetryArrived(2);
    // The whole component may be deleted as well.
    await scene.desire({ landfall: { telemetryInterval: 0 } });
    await scene.desire({ landfall: null });
    await scene.clock.advance(minute);
    await scene.hub.latest.telemetryArrived(3);
  });

  test("is taken from the twin at the start", async () => {
    const { scene, agent } = await DutyScene.begin({ telemetry: { interval: "1h" } });
    await using _ = scene;
    scene.hub.changeDesired({ landfall: { telemetryInterval: 5 }, other: 1 });
    await agent.start();
    await scene.hub.latest.reported(2);
    expect(scene.reported).toMatchObject({ telemetryInterval: { value: 5, ac: 200, av: 2 } });
    await scene.hub.latest.telemetryArrived(1);
    await scene.clock.sleeping(1);
    await scene.clock.advance(5000);
    await scene.hub.latest.telemetryArrived(2);
  });

  test("that was deleted while the agent was away is no longer acknowledged", async () => {
    const { scene, agent } = await DutyScene.begin();
    await using _ = scene;
    const stale = { telemetryInterval: { value: 5, ac: 200, ad: "applied", av: 7 } };
    scene.hub.setTwin({ desired: { $version: 8 }, reported: { landfall: stale, $version: 3 } });
    await agent.start();
    await scene.hub.latest.reported(1);
    expect(scene.reported).toEqual({ __t: "c", version: expect.any(String), node: process.versions.node });
  });

  test("is followed on when the hub refuses the acknowledgement", async () => {
    const { scene } = await DutyScene.connected(off);
    await using _ = scene;
    await scene.hub.latest.reported(1);
    let refused = false;
    scene.hub.behave((operation) => {
      if (operation.kind !== "patchReported" || refused) return undefined;
      refused = true;
      return fault("hub.twin-rejected", { service: { status: 400 } });
    });
    scene.hub.latest.pushDesired({ landfall: { telemetryInterval: 3 } });
    await scene.turn();
    expect(scene.logged("warn")).toContainEqual(expect.stringContaining("does not say what became of"));
    await scene.desire({ landfall: { telemetryInterval: 4 } });
    expect(scene.reported).toMatchObject({ telemetryInterval: { value: 4, ac: 200 } });
  });

  test("other properties are told and left alone", async () => {
    const { scene } = await DutyScene.connected(off);
    await using _ = scene;
    await scene.hub.latest.reported(1);
    scene.hub.latest.pushDesired({ speed: 3, landfall: { other: 1 } });
    await scene.turn();
    expect(scene.done).toContainEqual({
      event: "desired-changed",
      version: 2,
      patch: { speed: 3, landfall: { other: 1 } },
    });
    expect(scene.hub.latest.reportedPatches).toHaveLength(1);
  });
});

describe("methods", () => {
  test("run their commands, with the request on standard input", async () => {
    const { scene } = await DutyScene.connected({
      ...off,
      methods: { echo: { command: ["cat"] }, no: { command: ["false"] } },
    });
    await using _ = scene;
    expect(await scene.hub.latest.invokeMethod({ name: "echo", payload: { n: 1 } })).toEqual({
      status: 200,
      payload: { exitCode: 0, stdout: { n: 1 }, stderr: "", truncated: false },
    });
    expect(await scene.hub.latest.invokeMethod({ name: "no" })).toMatchObject({
      status: 500,
      payload: { exitCode: 1 },
    });
    expect(await scene.hub.latest.invokeMethod({ name: "echo; ls" })).toMatchObject({ status: 404 });
    expect(scene.done).toEqual(
      expect.arrayContaining([
        { event: "method-answered", name: "echo", status: 200 },
        { event: "method-answered", name: "no", status: 500 },
      ]),
    );
  });

  test("are killed at their time limit, and say so", async () => {
    const { scene } = await DutyScene.connected({
      ...off,
      methods: { nap: { command: ["sleep", "60"], timeout: "2s" } },
    });
    await using _ = scene;
    const answer = watch(scene.hub.latest.invokeMethod({ name: "nap" }));
    await scene.turn();
    await scene.clock.advance(2000);
    expect(answer.outcome).toMatchObject({ status: 504, payload: { exitCode: null } });
  });

  test("a name that a program took before is a clear error", async () => {
    await using scene = new DutyScene(scratch.path);
    const agent = await scene.create();
    agent.onMethod("reprovision", () => ({ status: 200 }));
    expect(() => scene.begin(agent)).toThrow(expect.objectContaining({ code: "hub.method-exists" }));
  });

  test("reprovision is the agent's own name, which the configuration may not give away", async () => {
    const attestation = { method: "symmetric_key", registration_id: "device-1", symmetric_key: deviceKey } as const;
    const configuration = {
      provisioning: { source: "dps", id_scope: "0ne00000001", attestation },
      methods: { reprovision: { command: ["true"] } },
    } as const;
    await expect(settingsFrom(configuration)).rejects.toMatchObject({
      code: "config.invalid",
      details: [expect.stringMatching(/methods.*reprovision/)],
    });
  });
});

describe("the method reprovision", () => {
  test("answers first, then asks DPS, and the device moves", async () => {
    const { scene } = await DutyScene.connected(off);
    await using _ = scene;
    scene.dps.respond(assignedTo(hubB));
    const answered = scene.hub.latest.invokeMethod({ name: "reprovision" });
    expect(await answered).toEqual({ status: 202, payload: { message: "asking DPS" } });
    expect(await scene.event("connected", 2)).toMatchObject({ hub: hubB });
    expect(scene.told("provisioning")).toMatchObject([{ reason: "requested" }]);
    expect(scene.done).toContainEqual({ event: "method-answered", name: "reprovision", status: 202 });
  });

  test("of a DPS that refuses leaves the device where it is", async () => {
    const { scene } = await DutyScene.connected(off);
    await using _ = scene;
    scene.dps.respond(refusedWith(401, 401002));
    await scene.hub.latest.invokeMethod({ name: "reprovision" });
    await scene.event("provisioning-failed");
    await scene.turn();
    expect(scene.logged("warn")).toContainEqual(expect.stringContaining("provisioning on request failed"));
    expect(scene.hub.latest.open).toBe(true);
  });

  test("has nobody to ask for a hub that is given by hand", async () => {
    const { scene } = await DutyScene.connected(off, {
      provisioning: {
        source: "manual",
        iothub_hostname: hubA,
        device_id: "device-1",
        authentication: { method: "sas", device_id_pk: deviceKey },
        id_scope: undefined,
        attestation: undefined,
      } as never,
    });
    await using _ = scene;
    expect(await scene.hub.latest.invokeMethod({ name: "reprovision" })).toMatchObject({ status: 409 });
  });
});

describe("the end of the duties", () => {
  test.each([
    ["an abort", (scene: DutyScene, _agent: Agent) => scene.ending.abort(new Error("enough"))],
    ["the agent's close", (_scene: DutyScene, agent: Agent) => void agent.close()],
  ])("by %s is quiet, and leaves no timer", async (_, end) => {
    const { scene, agent } = await DutyScene.connected({ telemetry: { interval: "1m" } });
    await using _scene = scene;
    await scene.hub.latest.telemetryArrived(1);
    await scene.hub.latest.reported(1);
    await scene.turn();
    end(scene, agent);
    await scene.turn();
    await scene.turn();
    expect(scene.ended.outcome).toBe("done");
    await agent.close();
    expect(scene.clock.pending).toEqual([]);
    expect([...scene.logged("warn"), ...scene.logged("error")]).toEqual([]);
  });

  test("comes before the start as well", async () => {
    const { scene, agent } = await DutyScene.begin();
    await using _ = scene;
    await agent.close();
    await scene.turn();
    expect(scene.ended.outcome).toBe("done");
    expect([...scene.logged("warn"), ...scene.logged("error")]).toEqual([]);
  });

  test("of one duty by a failure is logged, and ends no other", async () => {
    const { scene, agent } = await DutyScene.begin(off);
    await using _ = scene;
    scene.hub.behave(({ kind }) => (kind === "patchReported" ? fault("hub.twin-rejected") : undefined));
    await agent.start();
    await scene.turn();
    expect(scene.logged("error")).toEqual([
      expect.stringContaining("saying in the twin which agent this is has ended"),
    ]);
    expect(scene.ended.outcome).toBe("pending");
  });
});
