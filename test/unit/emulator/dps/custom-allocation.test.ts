import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { deferred } from "../../../../src/deferred.ts";
import type { AllocationFunction, CustomAllocation } from "../../../../src/emulator/index.ts";
import type { JsonObject } from "../../../../src/json.ts";
import { type Answered, EmulatedDps, poll, register } from "../../../support/emulated-dps.ts";

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
  test("is asked and answers in the JSON of the real service's webhooks", async () => {
    const twin = { properties: { desired: { mode: 2 } }, tags: { site: "north" } };
    const hook = await webhook(
      json({ iotHubHostName: "hub-b.azure-devices.net", initialTwin: twin, payload: { a: 1 } }),
    );
    const emulated = new EmulatedDps({ assigningPolls: 0 });
    const attestation = { method: "symmetric_key" } as const;
    const group = emulated.dps.enroll({ group: "line", attestation, allocation: "custom", customAllocation: hook.url });
    const options = { key: group.deviceKey("dev"), body: JSON.stringify({ payload: { model: "x" } }) };
    expect(await emulated.outcome("dev", options)).toMatchObject({
      body: { registrationState: { assignedHub: "hub-b.azure-devices.net", payload: { a: 1 } } },
    });
    expect(emulated.hubs[1]?.twin("dev")).toMatchObject({ desired: { mode: 2 }, tags: { site: "north" } });
    await emulated.outcome("dev", options);
    const linkedHubs = ["hub-a.azure-devices.net", "hub-b.azure-devices.net"];
    const enrollmentGroup = { enrollmentGroupId: "line" };
    const context = { registrationId: "dev", payload: { model: "x" } };
    const current = { currentIotHubHostName: "hub-b.azure-devices.net" };
    expect(hook.asked).toEqual([
      { method: "POST", json: { enrollmentGroup, deviceRuntimeContext: context, linkedHubs } },
      { method: "POST", json: { enrollmentGroup, deviceRuntimeContext: { ...context, ...current }, linkedHubs } },
    ]);
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ["another status than 200", (response) => void response.writeHead(400).end("{}")],
    ["what is not JSON", (response) => void response.end("hub-a")],
    ["no hub", json({})],
    ["a redirection", (response) => void response.writeHead(302, { location: "http://127.0.0.1:9/" }).end()],
    ["nothing", (response) => void response.socket?.destroy()],
  ])("fails with 400207 when that answers %s", async (_what, serve) => {
    const { url } = await webhook(serve);
    const { emulated, key } = customised(url);
    expect(await emulated.outcome("dev", { key })).toMatchObject(failed);
  });

  test("fails when that takes more than five seconds, by the emulator's clock", async () => {
    const reached = deferred<void>();
    const { url } = await webhook(() => reached.resolve());
    const { emulated, key } = customised(url);
    await using device = await emulated.connect("dev", { key });
    const id = String((await register(device)).body.operationId);
    await reached.promise;
    await emulated.clock.advance(4999);
    expect((await poll(device, id)).status).toBe(202);
    await emulated.clock.advance(1);
    let answer: Answered;
    do answer = await poll(device, id);
    while (answer.status === 202);
    expect(answer).toMatchObject(failed);
  });
});
