import { afterEach, describe, expect, test, vi } from "vitest";
import type { Agent } from "../../../src/agent/agent.ts";
import { SymmetricKeyAttestation } from "../../../src/attestation/symmetric-key-attestation.ts";
import type { DpsTransport, HubTransport } from "../../../src/transport/transport.ts";
import { watch } from "../../support/agent-record.ts";
import { ScratchFolder } from "../../support/scratch-folder.ts";
import { AgentScene, assignedTo, fault, hubA, type SceneOptions } from "./agent-scene.ts";

const scratch = new ScratchFolder();
afterEach(() => vi.restoreAllMocks());

/** Everything of an agent that can wait. */
function waitForEverything(agent: Agent): Record<string, { outcome: unknown }> {
  const messages = (async () => {
    for await (const _ of agent.messages()) throw new Error("there is none");
  })();
  const desired = (async () => {
    for await (const _ of agent.desiredChanges());
  })();
  return {
    start: watch(agent.start()),
    connected: watch(agent.whenConnected()),
    send: watch(agent.send({ n: 1 })),
    report: watch(agent.report({ n: 1 })),
    twin: watch(agent.twin()),
    drain: watch(agent.drain()),
    messages: watch(messages),
    desired: watch(desired),
  };
}

const ended = expect.objectContaining({ code: "hub.closed" });

/** A moment in an agent's life: how it comes about, and when it is reached. */
interface Moment {
  readonly stored?: boolean;
  readonly options?: SceneOptions;
  readonly prepare?: (scene: AgentScene) => unknown;
  readonly reached: (scene: AgentScene) => Promise<unknown>;
}

/** A service that takes connections and says nothing more. */
const mute = {
  name: "mute",
  abilities: { credentials: ["certificate", "sas"], challenge: true },
  connect: (...args: readonly unknown[]) => {
    const { signal } = args.at(-1) as { readonly signal: AbortSignal };
    return new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  },
} satisfies DpsTransport & HubTransport;

const moments: Record<string, Moment> = {
  "while DPS is being reached": {
    options: { dpsTransport: mute },
    reached: (scene) => scene.event("endpoint"),
  },
  "while DPS thinks": {
    prepare: (scene) => scene.dps.behave(() => new Promise(() => {})),
    reached: (scene) => scene.dps.requested(1),
  },
  "between two polls": {
    prepare: (scene) => scene.dps.respond({ status: 202, body: { operationId: "op-1", status: "assigning" } }),
    reached: (scene) => scene.clock.sleeping(2),
  },
  "while it waits to ask DPS again": {
    prepare: (scene) => scene.dps.respond({ status: 200, body: "?" }),
    reached: (scene) => scene.event("provisioning-failed"),
  },
  "while the hub is being reached": {
    stored: true,
    options: { hubTransport: mute },
    reached: (scene) => scene.event("endpoint"),
  },
  "while it waits to connect again": {
    stored: true,
    prepare: (scene) => scene.hub.refuseNext(),
    reached: (scene) => scene.event("waiting"),
  },
  "while DPS is asked because the hub refuses": {
    stored: true,
    prepare: (scene) => {
      scene.hub.refuseNext(fault("transport.unauthorized"));
      scene.dps.behave(() => new Promise(() => {}));
    },
    reached: (scene) => scene.dps.requested(1),
  },
};

describe("close", () => {
  test.each(Object.entries(moments))("%s: settles everything that waits, and leaves no timer", async (_, moment) => {
    await using scene = new AgentScene(scratch.path);
    const { stored, options = {}, prepare, reached } = moment;
    if (stored) await scene.store(hubA);
    prepare?.(scene);
    const released = vi.spyOn(SymmetricKeyAttestation.prototype, "close");
    const agent = await scene.create(options);
    const { messages, desired, ...waiting } = waitForEverything(agent);
    await reached(scene);
    await scene.turn();
    await agent.close();
    await scene.turn();
    for (const each of Object.values(waiting)) expect(each.outcome).toEqual(ended);
    expect([messages?.outcome, desired?.outcome]).toEqual(["done", "done"]);
    expect(scene.clock.pending).toEqual([]);
    expect(released).toHaveBeenCalledTimes(1);
    expect(scene.dps.openChannels).toBe(0);
    expect(scene.hub.connections.filter(({ open }) => open)).toEqual([]);
    expect(scene.told("closed")).toEqual([{}]);
    expect(scene.logged("warn").concat(scene.logged("error")).join()).not.toContain("closed");
  });

  test("before the start: there is none any more", async () => {
    await using scene = await new AgentScene(scratch.path).store(hubA);
    const agent = await scene.create();
    const waiting = [agent.whenConnected(), agent.send({ n: 1 }), agent.report({ n: 1 }), agent.twin()].map(watch);
    await agent.close();
    await scene.turn();
    for (const each of waiting) expect(each.outcome).toEqual(ended);
    await expect(agent.start()).rejects.toEqual(ended);
    await expect(agent.provision()).rejects.toEqual(ended);
    await expect(agent.send({})).rejects.toEqual(ended);
    await expect(agent.report({})).rejects.toEqual(ended);
    await expect(agent.twin()).rejects.toEqual(ended);
    await expect(agent.whenConnected()).rejects.toEqual(ended);
    expect(() => agent.messages()).toThrow(ended);
    expect(() => agent.desiredChanges()).toThrow(ended);
    expect(scene.eventNames).toEqual(["closed"]);
    expect(scene.hub.attempts).toBe(0);
  });

  test("while the stored assignment is read", async () => {
    await using scene = await new AgentScene(scratch.path).store(hubA);
    const agent = await scene.create();
    const started = watch(agent.start());
    await agent.close();
    expect(started.outcome).toEqual(ended);
    expect(scene.hub.attempts).toBe(0);
    expect(scene.eventNames).toEqual(["closed"]);
  });

  test("when serving: what is under way is finished first", async () => {
    await using scene = await new AgentScene(scratch.path).store(hubA);
    const agent = await scene.create();
    await agent.start();
    scene.hub.latest.autoAck = false;
    const sent = watch(agent.send({ n: 1 }));
    await scene.hub.latest.telemetryArrived(1);
    const closed = watch(agent.close());
    await scene.turn();
    expect([sent.outcome, closed.outcome]).toEqual(["pending", "pending"]);
    scene.hub.latest.ack();
    await scene.turn();
    expect([sent.outcome, closed.outcome]).toEqual(["done", "done"]);
    expect(scene.clock.pending).toEqual([]);
    expect(scene.eventNames.at(-1)).toBe("closed");
    // An orderly end is no loss.
    expect(scene.told("disconnected")).toEqual([]);
  });

  test("when serving: a hub that acknowledges nothing holds it up for no more than 5 s", async () => {
    await using scene = await new AgentScene(scratch.path).store(hubA);
    const agent = await scene.create();
    await agent.start();
    scene.hub.latest.autoAck = false;
    const sent = watch(agent.send({ n: 1 }));
    await scene.hub.latest.telemetryArrived(1);
    const closed = watch(agent.close());
    await scene.clock.advance(5000);
    expect(closed.outcome).toBe("done");
    expect(sent.outcome).toEqual(ended);
    expect(scene.clock.pending).toEqual([]);
  });

  test("twice, at one time and later: it happens once", async () => {
    await using scene = await new AgentScene(scratch.path).store(hubA);
    const agent = await scene.create();
    await agent.start();
    await Promise.all([agent.close(), agent.close(), agent[Symbol.asyncDispose]()]);
    await agent.close();
    expect(scene.told("closed")).toEqual([{}]);
  });

  test("also when the key does not let go", async () => {
    await using scene = await new AgentScene(scratch.path).store(hubA);
    const stuck = new Error("the token is gone");
    const agent = await scene.create();
    await agent.start();
    vi.spyOn(SymmetricKeyAttestation.prototype, "close").mockRejectedValueOnce(stuck);
    await agent.close();
    expect(scene.told("closed")).toEqual([{}]);
    expect(scene.logged("warn")).toContainEqual(expect.stringContaining("the token is gone"));
  });

  test("while the credential for the hub is made: nobody goes there", async () => {
    await using scene = await new AgentScene(scratch.path).store(hubA);
    const agent = await scene.create();
    vi.spyOn(SymmetricKeyAttestation.prototype, "hubCredential").mockImplementationOnce(async function (
      this: SymmetricKeyAttestation,
    ) {
      void agent.close();
      return this.credential();
    });
    await expect(agent.start()).rejects.toEqual(ended);
    expect(scene.eventNames).toEqual(["closed"]);
    expect(agent.place).toBeUndefined();
  });

  test("during a registration that brings an assignment all the same: nobody goes there", async () => {
    await using scene = new AgentScene(scratch.path);
    const agent = await scene.create();
    scene.dps.behave(() => {
      void agent.close();
      return assignedTo(hubA);
    });
    await expect(agent.start()).rejects.toEqual(ended);
    await agent.close();
    expect(scene.told("assigned")).toEqual([]);
    expect(scene.hub.attempts).toBe(0);
  });
});
