import { describe, expect, test } from "vitest";
import { BlobStore } from "../../../../src/emulator/blob-store.ts";
import { blobRoutes } from "../../../../src/emulator/https/blob-routes.ts";
import { hubRoutes } from "../../../../src/emulator/https/hub-routes.ts";
import { seededRandom } from "../../../../src/emulator/randomness.ts";
import { answerOf, askRoutes } from "../../../support/ask-routes.ts";
import { deviceKey, EmulatedHub } from "../../../support/emulated-hub.ts";

const version = "api-version=2021-04-12";
const blockBlob = { "x-ms-blob-type": "BlockBlob" };

interface Permit {
  readonly correlationId: string;
  readonly hostName: string;
  readonly containerName: string;
  readonly blobName: string;
  readonly sasToken: string;
}

/** An emulated hub with one device, and the steps of an upload as that device. */
function withDevice() {
  const emulated = new EmulatedHub();
  const authentication = { method: "symmetric_key", primaryKey: deviceKey } as const;
  for (const deviceId of ["dev", "other"]) emulated.hub.addDevice({ deviceId, authentication });
  const hubTable = hubRoutes(emulated.hub);
  const blobTable = blobRoutes(emulated.blobs);
  const ask = (path: string, body: unknown, deviceId = "dev") =>
    answerOf(
      askRoutes(hubTable, `POST /devices/${deviceId}/files${path}?${version}`, {
        headers: { authorization: emulated.token(deviceId), host: "hub-a.azure-devices.net" },
        body: JSON.stringify(body),
      }),
    );
  const begin = (blobName = "log.txt") => ask("", { blobName }).json as unknown as Permit;
  const put = (
    { containerName, blobName, sasToken }: Permit,
    body: string,
    query = "",
    headers: Record<string, string> = blockBlob,
  ) => answerOf(askRoutes(blobTable, `PUT /${containerName}/${blobName}${sasToken}${query}`, { headers, body }));
  return { emulated, hub: emulated.hub, hubTable, ask, begin, put };
}

const done = { isSuccess: true, statusCode: 201, statusDescription: "Created" };

describe("a file upload", () => {
  test("is asked for, written in one piece, and reported", () => {
    const { emulated, hub, ask, begin, put } = withDevice();
    const permit = begin();
    expect(permit).toMatchObject({ hostName: "blobs.test", containerName: "hub-a", blobName: "dev/log.txt" });
    expect(put(permit, "content").status).toBe(201);
    const { correlationId } = permit;
    expect(ask("/notifications", { correlationId, ...done })).toMatchObject({ status: 204 });
    expect(hub.uploads).toEqual([
      {
        deviceId: "dev",
        blobName: "log.txt",
        ...done,
        content: Buffer.from("content"),
        finishedAtMs: emulated.clock.now(),
      },
    ]);
    expect(emulated.events.of("hub.file-uploaded")).toMatchObject([{ blobName: "log.txt", isSuccess: true }]);
  });

  test("may be written block by block, in the order of the list", () => {
    const { hub, ask, begin, put } = withDevice();
    const permit = begin();
    expect(put(permit, "tent", "&comp=block&blockid=Mg==", {}).status).toBe(201);
    expect(put(permit, "con", "&comp=block&blockid=MQ==", {}).status).toBe(201);
    const list = "<BlockList><Latest>MQ==</Latest><Latest>Mg==</Latest></BlockList>";
    expect(put(permit, list, "&comp=blocklist", {}).status).toBe(201);
    ask(`/notifications/${encodeURIComponent(permit.correlationId)}`, done);
    expect(hub.uploads[0]?.content?.toString()).toBe("content");
  });

  test("that failed is reported as such, with nothing in the store", () => {
    const { hub, ask, begin } = withDevice();
    const { correlationId } = begin();
    const report = { isSuccess: false, statusCode: 500, statusDescription: "no" };
    expect(ask("/notifications", { correlationId, ...report }).status).toBe(204);
    expect(hub.uploads).toMatchObject([{ ...report, content: undefined }]);
  });

  test("is over once it is reported, and belongs to its device", () => {
    const { ask, begin } = withDevice();
    const { correlationId } = begin();
    expect(ask("/notifications", { correlationId, ...done }, "other").status).toBe(400);
    expect(ask("/notifications", { correlationId, ...done }).status).toBe(204);
    expect(ask("/notifications", { correlationId, ...done }).status).toBe(400);
  });

  test("may go on beside nine others of the same device", () => {
    const { ask, begin } = withDevice();
    const permits = Array.from({ length: 10 }, (_, index) => begin(`file-${index}`));
    expect(ask("", { blobName: "one too many" })).toMatchObject({
      status: 403,
      json: { Message: expect.stringContaining("DeviceMaximumActiveFileUploadLimitExceeded") },
    });
    expect(ask("", { blobName: "mine" }, "other").status).toBe(200);
    ask("/notifications", { correlationId: permits[0]?.correlationId, ...done });
    expect(ask("", { blobName: "now" }).status).toBe(200);
  });

  test("that is not over within an hour is none any more", async () => {
    const { emulated, ask, begin, put } = withDevice();
    const permits = Array.from({ length: 10 }, (_, index) => begin(`file-${index}`)) as [Permit, ...Permit[]];
    await emulated.clock.advance(3_599_999);
    expect(put(permits[0], "in time").status).toBe(201);
    expect(ask("", { blobName: "one too many" }).status).toBe(403);
    await emulated.clock.advance(1);
    expect(put(permits[0], "too late").status).toBe(403);
    expect(ask("/notifications", { correlationId: permits[0].correlationId, ...done }).status).toBe(400);
    expect(ask("", { blobName: "now" }).status).toBe(200);
  });

  test.each([{}, { blobName: "" }, { blobName: 7 }, { blobName: "x".repeat(1025) }, "text"])(
    "is not begun with %j",
    (body) => {
      const { ask } = withDevice();
      expect(ask("", body).status).toBe(400);
    },
  );

  test("needs the device's own credential", () => {
    const { emulated, hub, hubTable } = withDevice();
    const ask = (authorization: string | undefined, deviceId = "dev") =>
      answerOf(
        askRoutes(hubTable, `POST /devices/${deviceId}/files?${version}`, {
          headers: { ...(authorization === undefined ? {} : { authorization }) },
          body: '{"blobName":"x"}',
        }),
      );
    expect(ask(emulated.token("dev"))).toMatchObject({ status: 200 });
    expect(ask(undefined)).toMatchObject({
      status: 401,
      json: { Message: expect.stringMatching(/^ErrorCode:IotHubUnauthorizedAccess;/) },
    });
    expect(ask(emulated.token("other")).status).toBe(401);
    expect(ask(emulated.token("dev", -1000)).status).toBe(401);
    expect(ask(emulated.token("ghost"), "ghost")).toMatchObject({
      status: 404,
      json: { Message: expect.stringMatching(/^ErrorCode:DeviceNotFound;/) },
    });
    hub.disableDevice("dev");
    expect(ask(emulated.token("dev")).status).toBe(401);
    expect(emulated.logged.filter(({ level }) => level === "warn").map(({ message }) => message)).toEqual([
      "refused dev over HTTPS: expected a shared access signature, found no password",
      "refused dev over HTTPS: shared access signature: wrong-resource",
      "refused dev over HTTPS: shared access signature: expired",
      "refused ghost over HTTPS: there is no such device",
      "refused dev over HTTPS: the device is disabled",
    ]);
  });

  test("is refused, or not answered, while the hub's owner wants it", () => {
    const { hub, ask, hubTable } = withDevice();
    hub.refuse("unavailable");
    expect(ask("", {}).status).toBe(503);
    hub.refuse("unauthorized");
    expect(ask("", {}).status).toBe(401);
    hub.refuse(undefined);
    hub.silent(true);
    expect(askRoutes(hubTable, `POST /devices/dev/files?${version}`)).toBe("silence");
  });

  test("needs a well-formed api-version", () => {
    const { emulated, hubTable } = withDevice();
    const headers = { authorization: emulated.token("dev") };
    expect(answerOf(askRoutes(hubTable, "POST /devices/dev/files", { headers })).status).toBe(400);
  });
});

describe("the store", () => {
  test.each([
    ["another signature", (permit: Permit) => ({ ...permit, sasToken: "?sig=wrong" }), "", 403],
    ["another blob", (permit: Permit) => ({ ...permit, blobName: "dev/other.txt" }), "", 403],
    ["a block without id", (permit: Permit) => permit, "&comp=block", 400],
    ["another operation", (permit: Permit) => permit, "&comp=lease", 400],
  ])("refuses %s", (_, change, query, status) => {
    const { begin, put } = withDevice();
    expect(put(change(begin()), "content", query)).toMatchObject({ status, body: expect.stringContaining("<Error>") });
  });

  test("refuses a list that names a block it was not sent, and a blob of another type", () => {
    const { begin, put } = withDevice();
    const permit = begin();
    expect(put(permit, "<BlockList><Latest>MQ==</Latest></BlockList>", "&comp=blocklist").status).toBe(400);
    expect(put(permit, "content", "", { "x-ms-blob-type": "PageBlob" }).status).toBe(400);
  });

  test("keeps 256 MiB and no more", () => {
    const store = new BlobStore(seededRandom(1), () => "blobs.test");
    const large = Buffer.alloc(64 * 1024 * 1024);
    const uploads = ["a", "b", "c", "d"].map((name) => store.create(name));
    expect(uploads.map((upload) => upload.put(large))).toEqual([true, true, true, true]);
    expect(store.create("e").put(Buffer.from("x"))).toBe(false);
    expect(store.create("f").putBlock("1", Buffer.from("x"))).toBe(false);
    store.create("a");
    expect(store.create("e").put(Buffer.from("x"))).toBe(true);
    expect([store.read("a"), store.read("e")?.toString()]).toEqual([undefined, "x"]);
  });
});
