import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, type RequestOptions, request } from "node:https";
import tls from "node:tls";
import { describe, expect, test } from "vitest";
import { CertificateAuthority, Emulator } from "../../src/emulator/index.ts";
import { sasToken } from "../support/foreign-device.ts";
import { gone } from "../support/gone.ts";

const dpsHost = "global.azure-devices-provisioning.net";
const blobHost = "landfallemulator.blob.core.windows.net";
const register = "/0ne00ABCDEF/registrations/dev/register?api-version=2019-03-31";

/** One request; resolves with status and body. */
function ask(
  emulator: Emulator,
  method: string,
  path: string,
  { body = "", ...options }: RequestOptions & { readonly body?: string | Buffer } = {},
): Promise<{ status: number | undefined; body: string }> {
  const { wsPort, caFile } = emulator.ready;
  const where = { host: "127.0.0.1", port: wsPort, servername: dpsHost, ca: readFileSync(caFile) };
  return new Promise((resolve, reject) => {
    const outgoing = request({ method, path, ...where, ...options }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, body: text }));
      response.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function enrolled(emulator: Emulator): { readonly headers: { readonly authorization: string } } {
  const enrollment = emulator.dps.enroll({ registrationId: "dev", attestation: { method: "symmetric_key" } });
  const about = { expiresAtMs: Date.now() + 60_000, tail: "&skn=registration" };
  return { headers: { authorization: sasToken("0ne00ABCDEF/registrations/dev", enrollment.deviceKey(), about) } };
}

describe("HTTPS at the emulator", () => {
  test("leads to DPS by name, and under any other name by what is asked", async () => {
    await using emulator = await Emulator.start();
    const credential = enrolled(emulator);
    expect((await ask(emulator, "PUT", register, credential)).status).toBe(202);
    expect((await ask(emulator, "PUT", register, { ...credential, servername: "localhost" })).status).toBe(202);
    const ownName = "my-dps.azure-devices-provisioning.net";
    expect((await ask(emulator, "PUT", register, { ...credential, servername: ownName })).status).toBe(202);
  });

  test("leads an upload through hub and store, by name and by localhost", async () => {
    for (const assign of ["name", "localhost"] as const) {
      await using emulator = await Emulator.start({ hubs: ["hub-a", "hub-b"], assign });
      const hub = emulator.hub("hub-b");
      const { primaryKey = "" } = hub.addDevice({ deviceId: "dev" });
      const named = assign === "name";
      const host = named ? hub.hostName : `localhost:${emulator.ready.wsPort}`;
      const servername = named ? hub.hostName : "localhost";
      const authorization = sasToken(`${host}/devices/dev`, primaryKey, { expiresAtMs: Date.now() + 60_000 });
      const files = "/devices/dev/files";
      const device = { servername, headers: { authorization, host } };
      const begun = await ask(emulator, "POST", `${files}?api-version=2021-04-12`, {
        ...device,
        body: '{"blobName":"a b"}',
      });
      const { hostName, containerName, blobName, sasToken: token, correlationId } = JSON.parse(begun.body);
      expect(hostName).toBe(named ? blobHost : host);
      const blob = `/${containerName}/${encodeURI(blobName)}${token}`;
      const headers = { "x-ms-blob-type": "BlockBlob", host: hostName };
      const put = { servername: named ? blobHost : "localhost", headers, body: Buffer.from("content") };
      expect((await ask(emulator, "PUT", blob, put)).status).toBe(201);
      const body = JSON.stringify({ correlationId, isSuccess: true, statusCode: 201, statusDescription: "Created" });
      const notified = await ask(emulator, "POST", `${files}/notifications?api-version=2021-04-12`, {
        ...device,
        body,
      });
      expect(notified).toEqual({ status: 204, body: "" });
      expect(hub.uploads.map(({ content }) => content?.toString())).toEqual(["content"]);
    }
  });

  test("sees the whole chain of a client with every request and on every connection", async () => {
    await using emulator = await Emulator.start();
    const root = await CertificateAuthority.create({ commonName: "Root" });
    const line = await root.issueAuthority({ commonName: "Line" });
    const { chainPem, privateKeyPem } = await line.issue({ commonName: "dev", usage: "client" });
    emulator.dps.enroll({ group: "g", attestation: { method: "x509", certificate: root.certificatePem } });
    const identity = { cert: chainPem, key: privateKeyPem };
    // The first agent keeps its connection; the second makes new ones, and would resume the session of the first.
    for (const agent of [new Agent({ keepAlive: true }), new Agent({ keepAlive: false })]) {
      const statuses = [];
      for (let count = 0; count < 3; count++) {
        statuses.push((await ask(emulator, "PUT", register, { ...identity, agent })).status);
      }
      agent.destroy();
      expect(statuses).toEqual([202, 202, 202]);
    }
  });

  test.each([
    ["GET", "/", 404],
    ["DELETE", register, 405],
    ["PUT", "/%E0%A4%A/registrations/dev/register", 400],
    ["GET", "/$iothub/websocket", 404],
  ])("answers %s %s with %i", async (method, path, status) => {
    await using emulator = await Emulator.start();
    expect((await ask(emulator, method, path)).status).toBe(status);
  });

  test("keeps a connection for the next request, longer than a slow poll or a large file takes", async () => {
    await using emulator = await Emulator.start();
    const { wsPort: port } = emulator.ready;
    const target = { host: "127.0.0.1", port, servername: dpsHost, ca: emulator.authority.certificatePem };
    const agent = new Agent({ keepAlive: true });
    const [response] = await once(request({ ...target, agent, path: "/" }).end(), "response");
    expect(response.resume().headers["keep-alive"]).toBe("timeout=120");
    agent.destroy();
  });

  test("reads no more of a body than a message may have", async () => {
    await using emulator = await Emulator.start();
    const body = Buffer.alloc(200_000, " ");
    expect((await ask(emulator, "PUT", register, { ...enrolled(emulator), body })).status).toBe(413);
  });

  test("cuts the connection, or leaves it without an answer, where a fault wants that", async () => {
    const emulator = await Emulator.start();
    const credential = enrolled(emulator);
    emulator.dps.faults.next("dev", "register", "drop");
    await expect(ask(emulator, "PUT", register, credential)).rejects.toMatchObject({ code: "ECONNRESET" });
    emulator.dps.faults.next("dev", "register", "silence");
    const unanswered = ask(emulator, "PUT", register, credential);
    unanswered.catch(() => {});
    await emulator.events.next("dps.register", { where: () => emulator.dps.faults.served.length === 2 });
    await emulator.close();
    await expect(unanswered).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  test("survives clients that break off in the middle, and bytes that are no HTTP", async () => {
    await using emulator = await Emulator.start();
    const { wsPort, caFile } = emulator.ready;
    for (const bytes of [
      `PUT ${register} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf`,
      "\u0000\u0001 nonsense\r\n\r\n",
    ]) {
      const socket = tls.connect({ host: "127.0.0.1", port: wsPort, servername: dpsHost, ca: readFileSync(caFile) });
      await once(socket, "secureConnect");
      socket.on("error", () => {});
      socket.write(bytes, () => socket.destroy());
      await gone(socket);
    }
    expect((await ask(emulator, "PUT", register, enrolled(emulator))).status).toBe(202);
  });
});
