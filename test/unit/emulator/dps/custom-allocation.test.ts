import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { deferred } from "../../../../src/deferred.ts";
import { allocateByCallback } from "../../../../src/emulator/dps/custom-allocation.ts";
import type { AllocationFunction, CustomAllocation } from "../../../../src/emulator/index.ts";
import type { JsonObject } from "../../../../src/json.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import { EmulatedDps, poll, register } from "../../../support/emulated-dps.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A DPS with one individual enrollment whose hub is decided by `customAllocation`. */
function customised(customAllocation: AllocationFunction | string, more: object = {}) {
  const emulated = new EmulatedDps({ assigningPolls: 0 });
  const attestation = { method: "symmetric_key" } as const;
  const options = { allocation: "custom", customAllocation, ...more } as const;
  const enrollment = emulated.dps.enroll({ registrationId: "dev", attestation, ...options });
  return { emulated, enrollment, key: enrollment.deviceKey() };
}

/** Serves HTTP on this machine; returns the URL and the bodies of all requests. */
async function webhook(serve: (response: ServerResponse) => void) {
  const asked: { readonly method: string | undefined; readonly json: JsonObject }[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      asked.push({ method: request.method, json: JSON.parse(Buffer.concat(chunks).toString()) as JsonObject });
      serve(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/allocate`, asked };
}

const json = (body: object) => (response: ServerResponse) => void response.end(JSON.stringify(body));

const failed = { status: 200, body: { status: "failed", registrationState: { errorCode: 400207 } } };

describe("a custom allocation", () => {
  test("is told who comes and what hubs there are, and decides on hub, twin and payload", async () => {
    const requests: object[] = [];
    const { emulated, key } = customised((request) => {
      requests.push(request);
      return { hub: "hub-b", initialTwin: { desired: { mode: 1 } }, payload: { hello: "you" } };
    });
    const body = JSON.stringify({ payload: { model: "x" } });
    const hub = "hub-b.azure-devices.net";
    expect(await emulated.outcome("dev", { key, body })).toMatchObject({
      body: { status: "assigned", registrationState: { assignedHub: hub, payload: { hello: "you" } } },
    });
    expect(emulated.hubs[1]?.twin("dev").desired).toMatchObject({ mode: 1 });
    await emulated.outcome("dev", { key });
    const hubs = ["hub-a", "hub-b"];
    expect(requests).toEqual([
      { registrationId: "dev", payload: { model: "x" }, hubs },
      { registrationId: "dev", payload: undefined, hubs, currentHub: "hub-b" },
    ]);
  });

  test("moves a device as the policy says, and is not asked where devices never move", async () => {
    let hub = "hub-a";
    const { emulated, enrollment, key } = customised(() => ({ hub }));
    await emulated.outcome("dev", { key });
    hub = "hub-b";
    enrollment.update({ reprovisioning: "never" });
    expect(await emulated.outcome("dev", { key })).toMatchObject({
      body: { registrationState: { assignedHub: "hub-a.azure-devices.net" } },
    });
    enrollment.update({ reprovisioning: "migrate" });
    expect(await emulated.outcome("dev", { key })).toMatchObject({
      body: { registrationState: { assignedHub: "hub-b.azure-devices.net", substatus: "deviceDataMigrated" } },
    });
  });

  test("keeps the device assigning until it has decided", async () => {
    const decision = deferred<CustomAllocation>();
    const { emulated, key } = customised(() => decision.promise);
    await using device = await emulated.connect("dev", { key });
    const id = String((await register(device)).body.operationId);
    expect(await poll(device, id)).toMatchObject({ status: 202, body: { status: "assigning" } });
    expect(await poll(device, id)).toMatchObject({ status: 202 });
    decision.resolve({ hub: "hub-a" });
    expect(await poll(device, id)).toMatchObject({ status: 200, body: { status: "assigned" } });
  });

  test.each<[string, AllocationFunction]>([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no"))],
    ["names a hub that does not exist", () => ({ hub: "hub-c" })],
  ])("that %s makes the registration fail with 400207", async (_what, decide) => {
    const { emulated, key } = customised(decide);
    expect(await emulated.outcome("dev", { key })).toMatchObject(failed);
    expect(emulated.dps.registrations).toEqual([]);
  });

  test("names no hub that its enrollment does not allow", async () => {
    const { emulated, key } = customised(() => ({ hub: "hub-b" }), { hubs: ["hub-a"] });
    expect(await emulated.outcome("dev", { key })).toMatchObject(failed);
  });

  test.each([
    ["without function or URL", { allocation: "custom" }],
    ["with a URL of another machine", { allocation: "custom", customAllocation: "http://example.com/" }],
    ["with a URL that is not http:", { allocation: "custom", customAllocation: "https://127.0.0.1/" }],
    ["with no URL", { allocation: "custom", customAllocation: "allocate" }],
  ] as const)("is refused %s", (_what, options) => {
    const { dps } = new EmulatedDps();
    const enrollment = { registrationId: "dev", attestation: { method: "symmetric_key" }, ...options } as const;
    expect(() => dps.enroll(enrollment)).toThrow(expect.objectContaining({ code: "emulator.rejected" }));
  });
});

describe("a custom allocation by a callback URL", () => {
  const names = ["hub-a", "hub-b"];
  const linkedHubs = names.map((name) => `${name}.azure-devices.net`);
  const hubs = names.map((name, index) => ({ name, hostName: linkedHubs[index] ?? "" }));
  const ask = (url: string, more: object = {}, clock = new FakeClock()) =>
    allocateByCallback(url, { registrationId: "dev", payload: undefined, hubs: names, ...more }, { hubs, clock });

  test("is asked and answers in the JSON of the real service's webhooks", async () => {
    const twin = { properties: { desired: { mode: 2 } }, tags: { site: "north" } };
    const hook = await webhook(json({ iotHubHostName: linkedHubs[1], initialTwin: twin, payload: { a: 1 } }));
    expect(await ask(hook.url, { group: "line", payload: { model: "x" }, currentHub: "hub-b" })).toEqual({
      hub: "hub-b.azure-devices.net",
      initialTwin: { desired: { mode: 2 }, tags: { site: "north" } },
      payload: { a: 1 },
    });
    await ask(hook.url);
    const context = { registrationId: "dev", currentIotHubHostName: linkedHubs[1], payload: { model: "x" } };
    const enrollmentGroup = { enrollmentGroupId: "line" };
    const registrationId = "dev";
    expect(hook.asked).toEqual([
      { method: "POST", json: { enrollmentGroup, deviceRuntimeContext: context, linkedHubs } },
      {
        method: "POST",
        json: { individualEnrollment: { registrationId }, deviceRuntimeContext: { registrationId }, linkedHubs },
      },
    ]);
  });

  test("decides a registration", async () => {
    const { url } = await webhook(json({ iotHubHostName: linkedHubs[1] }));
    const { emulated, key } = customised(url);
    const requester = {
      idScope: "0ne00ABCDEF",
      registrationId: "dev",
      transport: "https",
      sasToken: emulated.token("dev", key),
      certificates: [],
    } as const;
    const serve = (step: "register" | "poll", operationId = ""): JsonObject => {
      const about = { requester, step, operationId, bodyText: "" } as const;
      const outcome = emulated.dps.desk.serve(about);
      return outcome.kind === "answer" ? (JSON.parse(outcome.answer.body) as JsonObject) : {};
    };
    const operationId = String(serve("register").operationId);
    let answer = serve("poll", operationId);
    for (let turn = 0; turn < 10_000 && answer.status === "assigning"; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      answer = serve("poll", operationId);
    }
    expect(answer).toMatchObject({ status: "assigned", registrationState: { assignedHub: linkedHubs[1] } });
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ["another status than 200", (response) => void response.writeHead(400).end("{}")],
    ["what is not JSON", (response) => void response.end("hub-a")],
    ["no hub", json({})],
    ["a redirection", (response) => void response.writeHead(302, { location: "http://127.0.0.1:9/" }).end()],
    ["nothing", (response) => void response.socket?.destroy()],
  ])("fails when that answers %s", async (_what, serve) => {
    const { url } = await webhook(serve);
    await expect(ask(url)).rejects.toThrow();
  });

  test("fails when that takes more than five seconds, by the emulator's clock", async () => {
    const reached = deferred<void>();
    const clock = new FakeClock();
    const { url } = await webhook(() => reached.resolve());
    const asking = ask(url, {}, clock);
    await reached.promise;
    expect(clock.pending).toEqual([5000]);
    const failing = expect(asking).rejects.toThrow();
    await clock.advance(5000);
    await failing;
  });
});
