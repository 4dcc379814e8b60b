import { describe, expect, test } from "vitest";
import { LandfallError } from "../../../../src/errors.ts";
import { Secret } from "../../../../src/secret.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import type { TlsIdentity } from "../../../../src/tls-identity.ts";
import { AzureSdkDpsTransport, type AzureSdkDpsTransportOptions } from "../../../../src/transport/azure-sdk/index.ts";
import type { DpsIdentity, DpsRequest } from "../../../../src/transport/transport.ts";
import { dpsClassOf, FakeSdkDps } from "../../../support/fake-sdk.ts";
import { testCredential, tokenText } from "../../../support/test-dialer.ts";

const route = { host: "dps.test" };
const identity: DpsIdentity = { idScope: "0ne00ABCDEF", registrationId: "sensor-17", credential: testCredential };
const register: DpsRequest = { kind: "register", body: { registrationId: "sensor-17" } };
const chain = "-----BEGIN CERTIFICATE-----\n";
const inMemory: TlsIdentity = {
  certificateChain: chain,
  secureContext: () => Promise.reject(new Error("not asked for")),
  exportKey: () => new Secret("the key"),
};

function setUp(options: Partial<AzureSdkDpsTransportOptions> = {}) {
  const fake = new FakeSdkDps();
  const clock = new FakeClock();
  const transport = new AzureSdkDpsTransport({ load: () => dpsClassOf(fake), clock, ...options });
  return { fake, clock, transport };
}

/** A channel with one request under way. */
async function requesting(request: DpsRequest = register) {
  const { fake, clock, transport } = setUp();
  const channel = await transport.connect(route, identity);
  const answer = channel.request(request);
  answer.catch(() => {});
  return { fake, clock, channel, answer };
}

describe("DPS over the Azure SDK", () => {
  test("loads the class at a connect, not before", async () => {
    let loaded = 0;
    const fake = new FakeSdkDps();
    const transport = new AzureSdkDpsTransport({
      load: async () => {
        loaded += 1;
        return dpsClassOf(fake);
      },
    });
    expect(loaded).toBe(0);
    await using _ = await transport.connect(route, identity);
    expect(loaded).toBe(1);
  });

  test("says so when the package is not there, or gives something else", async () => {
    const missing = setUp({ load: () => Promise.reject(new Error("Cannot find package 'x'")) });
    await expect(missing.transport.connect(route, identity)).rejects.toMatchObject({
      code: "transport.unsupported",
      message: expect.stringContaining("Cannot find package 'x'"),
    });
    const nothing = setUp({ load: () => undefined as never });
    await expect(nothing.transport.connect(route, identity)).rejects.toMatchObject({ code: "transport.unsupported" });
  });

  test("goes where the system's resolver leads while that is where the route leads, and not an address further", async () => {
    const found = [["10.0.0.4"], ["10.0.0.4", "203.0.113.7"]];
    const { transport } = setUp({ name: "azure-sdk-http", lookup: async () => found.shift() ?? [] });
    const pinned = { ...route, addresses: ["10.0.0.5", "10.0.0.4"] };
    await using _ = await transport.connect(pinned, identity);
    await expect(transport.connect(pinned, identity)).rejects.toMatchObject({
      code: "endpoint.unvetted-address",
      message:
        "azure-sdk-http resolves dps.test itself and would dial 203.0.113.7, where only 10.0.0.5, 10.0.0.4 may be dialled",
    });
  });

  test("says so when the system has no address for a name that it may dial", async () => {
    const { transport } = setUp({ lookup: () => Promise.reject(new Error("getaddrinfo ENOTFOUND dps.test")) });
    await expect(transport.connect({ ...route, addresses: ["10.0.0.4"] }, identity)).rejects.toMatchObject({
      code: "endpoint.name-not-found",
      message: expect.stringContaining("ENOTFOUND"),
    });
  });

  test("does not ignore a port in silence", async () => {
    const { transport, fake } = setUp({ name: "azure-sdk-http" });
    await expect(transport.connect({ ...route, port: 444 }, identity)).rejects.toMatchObject({
      code: "transport.unsupported",
      message: "azure-sdk-http cannot dial dps.test on port 444, only on its own",
    });
    expect(fake.token).toBeUndefined();
  });

  test("puts the port behind the host where the class takes it there", async () => {
    const { transport, fake } = setUp({ portInHost: true });
    await using channel = await transport.connect({ ...route, port: 8884 }, identity);
    channel.request(register).catch(() => {});
    expect(fake.requests[0]?.request).toMatchObject({ provisioningHost: "dps.test:8884", idScope: "0ne00ABCDEF" });
  });

  test("hands over a token, or a certificate with its key", async () => {
    const withToken = setUp();
    await using _ = await withToken.transport.connect(route, identity);
    expect(withToken.fake).toMatchObject({ token: tokenText, certificate: undefined });
    const withCertificate = setUp();
    const credential = { kind: "certificate", identity: inMemory } as const;
    await using __ = await withCertificate.transport.connect(route, { ...identity, credential });
    expect(withCertificate.fake).toMatchObject({ token: undefined, certificate: { cert: chain, key: "the key" } });
  });

  test.each([
    ["has no way out", { ...inMemory, exportKey: undefined as never }],
    [
      "says that it cannot leave",
      {
        ...inMemory,
        exportKey: () => {
          throw new LandfallError("key.not-exportable", "the key is in a TPM");
        },
      },
    ],
  ])("names a key that %s", async (_, tlsIdentity) => {
    const { transport } = setUp();
    const credential = { kind: "certificate", identity: tlsIdentity } as const;
    const connecting = transport.connect(route, { ...identity, credential });
    await expect(connecting).rejects.toMatchObject({ code: "key.not-exportable" });
  });

  test("needs a credential", async () => {
    const { transport } = setUp();
    const connecting = transport.connect(route, { ...identity, credential: undefined });
    await expect(connecting).rejects.toMatchObject({ code: "attestation.unsupported-pair" });
  });

  test("sends the payload, and names a member that the SDK has no place for", async () => {
    const { fake, transport } = setUp();
    await using channel = await transport.connect(route, identity);
    const payload = { model: "x" };
    const answer = channel.request({ kind: "register", body: { registrationId: "sensor-17", payload } });
    fake.answer(null, { status: "assigning" }, undefined, 0);
    await answer;
    expect(fake.requests).toMatchObject([{ request: { registrationId: "sensor-17", payload } }]);
    await expect(channel.request({ kind: "register", body: { tpm: {} } })).rejects.toMatchObject({
      code: "transport.unsupported",
      message: expect.stringContaining("tpm"),
    });
  });

  test.each([
    ["an acceptance", [null, { status: "assigning" }, null, 3000], { status: 202, retryAfterMs: 3000 }],
    ["a result", [null, { status: "assigned" }, null, 0], { status: 200 }],
    ["a result over HTTP", [null, { status: "failed" }, { statusCode: 200 }, 0], { status: 200 }],
    [
      "an acceptance over HTTP",
      [null, { status: "x" }, { statusCode: 202 }, 90_000_000],
      { status: 202, retryAfterMs: 3_600_000 },
    ],
    ["a 429 over MQTT", [null, { status: "registering" }, null, 7000], { status: 429, retryAfterMs: 7000, body: "" }],
    [
      "a refusal over MQTT",
      [
        Object.assign(new Error("no"), {
          result: { errorCode: 401002 },
          transportObject: { topic: "$dps/registrations/res/401/?$rid=1&retry-after=5" },
        }),
      ],
      { status: 401, retryAfterMs: 5000, body: '{"errorCode":401002}' },
    ],
    [
      "a refusal over HTTP",
      [
        Object.assign(new Error("no"), {
          response: { statusCode: 429, headers: { "retry-after": "2" } },
          responseBody: "slow down",
        }),
      ],
      { status: 429, retryAfterMs: 2000, body: "slow down" },
    ],
  ] as const)("takes %s for an answer", async (_, [error, result, response, delayMs], expected) => {
    const { fake, answer } = await requesting();
    fake.answer(error, result, response, delayMs);
    const { body = result === undefined ? "" : JSON.stringify(result), ...rest } = expected as { body?: string };
    expect(await answer).toEqual({ ...rest, body });
  });

  test("gives up a request that is not answered, and the channel with it", async () => {
    const { clock, channel, answer } = await requesting({ kind: "status", operationId: "4.d0" });
    await clock.sleeping();
    await clock.advance(30_000);
    await expect(answer).rejects.toMatchObject({ code: "transport.timeout" });
    await expect(channel.request(register)).rejects.toMatchObject({ code: "transport.closed" });
  });

  test("ends with an error that the SDK tells nobody in particular", async () => {
    const { fake, channel, answer } = await requesting();
    fake.emit("error", new Error("read ECONNRESET"));
    await expect(answer).rejects.toMatchObject({ code: "transport.closed" });
    await expect(channel.request(register)).rejects.toMatchObject({ code: "transport.closed" });
  });

  test("takes what the SDK throws for what it calls back with", async () => {
    const { fake, transport } = setUp();
    const channel = await transport.connect(route, identity);
    fake.throws = new ReferenceError("Invalid transport configuration");
    await expect(channel.request(register)).rejects.toMatchObject({ code: "transport.closed", cause: fake.throws });
  });

  test("waits two seconds for the SDK to disconnect, and no longer", async () => {
    const { fake, clock, transport } = setUp();
    fake.hangsUp = false;
    const channel = await transport.connect(route, identity);
    let closed = false;
    const closing = channel.close().then(() => {
      closed = true;
    });
    await clock.sleeping();
    await clock.advance(1999);
    expect(closed).toBe(false);
    await clock.advance(1);
    await closing;
    expect(fake.disconnects).toBe(1);
  });
});
