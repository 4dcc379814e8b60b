import { describe, expect, test } from "vitest";
import { createLogger, type LogRecord } from "../../../../src/log.ts";
import { Secret } from "../../../../src/secret.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import {
  AzureSdkHubTransport,
  type AzureSdkHubTransportOptions,
  type SdkCallback,
} from "../../../../src/transport/azure-sdk/index.ts";
import type { DesiredPatch } from "../../../../src/transport/messages.ts";
import type { HubHandlers, HubIdentity, Route } from "../../../../src/transport/transport.ts";
import { FakeSdkHub, hubClassOf } from "../../../support/fake-sdk.ts";
import { testCredential, tokenText } from "../../../support/test-dialer.ts";

const identity: HubIdentity = { deviceId: "sensor-17", credential: testCredential };
const everything: HubHandlers = {
  onMessage: async () => {},
  onMethod: async () => ({ status: 200 }),
  onDesired: () => {},
};

interface Provider {
  readonly type: number;
  getDeviceCredentials(callback: SdkCallback<Record<string, unknown>>): void;
  stop(): void;
}

function setUp(options: Partial<AzureSdkHubTransportOptions> = {}) {
  const fake = new FakeSdkHub();
  const clock = new FakeClock();
  const logged: LogRecord[] = [];
  const log = createLogger("trace", (record) => logged.push(record));
  const transport = new AzureSdkHubTransport({ load: () => hubClassOf(fake), clock, log, ...options });
  const connect = (handlers: HubHandlers = {}, who: Partial<HubIdentity> = {}, where: Partial<Route> = {}) =>
    transport.connect({ host: "hub.test", ...where }, { ...identity, ...who }, handlers);
  const credentials = (): Record<string, unknown> => {
    let given: Record<string, unknown> = {};
    (fake.provider as Provider).getDeviceCredentials((_, result) => {
      given = result ?? {};
    });
    return given;
  };
  return { fake, clock, logged, transport, connect, credentials };
}

const message = (id: string) => ({
  data: Buffer.from("hello"),
  messageId: id,
  correlationId: "",
  userId: "",
  contentType: undefined,
  properties: { propertyList: [{ key: "iothub-ack", value: "full" }], count: () => 1 },
});

describe("a hub over the Azure SDK", () => {
  test("is asked for what the handlers want to hear, and for nothing else", async () => {
    const { fake, connect } = setUp();
    await connect(everything);
    expect(fake.names).toEqual(["connect", "enableC2D", "enableMethods", "enableDesired"]);
    const quiet = setUp();
    await quiet.connect();
    expect(quiet.fake.names).toEqual(["connect"]);
  });

  test("is given a token that is never renewed, and tells when it expires", async () => {
    const { fake, clock, connect, credentials } = setUp({ tokenLifetimeMs: 60_000 });
    const connection = await connect();
    expect(credentials()).toEqual({ host: "hub.test", deviceId: "sensor-17", sharedAccessSignature: tokenText });
    expect(fake.provider).toMatchObject({ type: 1 });
    (fake.provider as Provider).stop();
    expect(connection.credentialExpiresAtMs).toBe(clock.now() + 60_000);
  });

  test("is given a certificate with its key, which does not expire with the connection", async () => {
    const { fake, connect, credentials } = setUp();
    const tlsIdentity = {
      certificateChain: "the chain",
      secureContext: () => Promise.reject(new Error("not asked for")),
      exportKey: () => new Secret("the key"),
    };
    const connection = await connect({}, { credential: { kind: "certificate", identity: tlsIdentity } });
    expect(credentials()).toMatchObject({ x509: { cert: "the chain", key: "the key" } });
    expect(fake.provider).toMatchObject({ type: 0 });
    expect(connection.credentialExpiresAtMs).toBeUndefined();
  });

  test("is told the model, and dialled on another port where the class can do that", async () => {
    const { fake, connect, credentials } = setUp({ portInHost: true });
    await connect({}, { modelId: "dtmi:com:example:Thermostat;1" }, { port: 8884 });
    expect(fake.options).toEqual({ modelId: "dtmi:com:example:Thermostat;1" });
    expect(credentials()).toMatchObject({ host: "hub.test", gatewayHostName: "hub.test:8884" });
    const fixed = setUp().connect({}, {}, { port: 8884 });
    await expect(fixed).rejects.toMatchObject({ code: "transport.unsupported" });
  });

  test("is let loose while the system's resolver leads where the route does, and no longer", async () => {
    const found = [["10.0.0.4"], ["203.0.113.7"]];
    const { connect } = setUp({ lookup: async () => found.shift() ?? [] });
    const route = { addresses: ["10.0.0.4"] };
    await connect({}, {}, route);
    await expect(connect({}, {}, route)).rejects.toMatchObject({ code: "endpoint.unvetted-address" });
  });

  test.each([
    [{ transportObj: { transportObj: { cmd: "connack", sessionPresent: true } } }, true],
    [{ transportObj: { sessionPresent: false } }, false],
    [undefined, false],
  ])("tells whether the session was kept, from inside %j", async (connected, expected) => {
    const { fake, connect } = setUp();
    fake.easy.delete("connect");
    const connecting = connect();
    (await fake.called("connect")).done(null, connected);
    expect((await connecting).sessionPresent).toBe(expected);
  });

  test("that does not answer a connect is given up and let go", async () => {
    const { fake, clock, connect } = setUp();
    fake.easy.delete("connect");
    const connecting = connect();
    connecting.catch(() => {});
    await clock.sleeping();
    await clock.advance(30_000);
    await expect(connecting).rejects.toMatchObject({ code: "transport.timeout" });
    expect(fake.names).toEqual(["connect", "disconnect"]);
  });

  test("ends when the SDK gives up a message, so that nobody waits on a dead connection", async () => {
    const { fake, connect } = setUp();
    const connection = await connect();
    const sending = connection.sendTelemetry({ payload: new Uint8Array() });
    sending.catch(() => {});
    (await fake.called("sendEvent")).done(new Error("Message not acknowledged"));
    await expect(sending).rejects.toMatchObject({ code: "transport.closed" });
    expect(await connection.ended).toMatchObject({
      code: "transport.closed",
      cause: { message: "Message not acknowledged" },
    });
    expect(fake.names).toContain("disconnect");
  });

  test("that closed in good order is told from a network that failed", async () => {
    const { fake, connect } = setUp();
    const orderly = await connect();
    fake.emit("disconnect", new Error("Connection to the server has been closed."));
    const closed = await orderly.ended;
    expect([closed?.message, closed?.cause]).toEqual([
      "the connection to hub.test was closed by the other side",
      undefined,
    ]);
    const failed = setUp();
    const broken = await failed.connect();
    const reset = new Error("read ECONNRESET");
    failed.fake.emit("disconnect", reset);
    expect(await broken.ended).toMatchObject({ code: "transport.closed", cause: reset });
  });

  test("has every message settled, in the one way or the other", async () => {
    const { fake, connect, logged } = setUp();
    await connect({
      onMessage: async ({ messageId }) => {
        if (messageId === "bad") throw new Error("not now");
      },
    });
    fake.emit("message", message("good"));
    fake.emit("message", message("bad"));
    expect((await fake.called("complete")).about).toMatchObject({ messageId: "good" });
    expect((await fake.called("abandon")).about).toMatchObject({ messageId: "bad" });
    (await fake.called("abandon")).done(new Error("lock lost"));
    expect(logged.map(({ message: text }) => text)).toContain("a message could not be settled");
  });

  test("says of a message that comes while nobody takes any that it is lost", async () => {
    const { fake, connect, logged } = setUp();
    await connect();
    fake.emit("message", message("m"));
    expect(logged).toMatchObject([{ level: "warn", message: expect.stringContaining("acknowledged") }]);
  });

  test("answers calls of every method, also while nobody handles any", async () => {
    const { fake, connect } = setUp();
    await connect();
    fake.emit("method_reboot", { methods: { methodName: "reboot" }, requestId: "7", body: Buffer.from("{}") });
    expect((await fake.called("response")).about).toMatchObject({ requestId: "7", status: 404 });
  });

  test("has its desired properties followed, if they have a version", async () => {
    const { fake, connect } = setUp();
    const got: DesiredPatch[] = [];
    await connect({ onDesired: (patch) => void got.push(patch) });
    fake.emit("twinDesiredPropertiesUpdate", { lamp: "on", $version: 3 });
    fake.emit("twinDesiredPropertiesUpdate", { lamp: "off" });
    fake.emit("twinDesiredPropertiesUpdate", "nonsense");
    expect(got).toEqual([{ version: 3, patch: { lamp: "on" } }]);
  });

  test.each([
    ["no twin at all", undefined],
    ["half a twin", { desired: {} }],
  ])("that answers with %s broke the protocol", async (_, twin) => {
    const { fake, connect } = setUp();
    const connection = await connect();
    const reading = connection.getTwin();
    (await fake.called("getTwin")).done(null, twin);
    await expect(reading).rejects.toMatchObject({ code: "transport.protocol" });
  });

  test("that refuses a twin operation is told from an SDK that lost its connection", async () => {
    const { fake, connect } = setUp();
    const connection = await connect();
    const refused = connection.getTwin();
    (await fake.called("getTwin")).done(new Error("too deep"));
    await expect(refused).rejects.toMatchObject({ code: "hub.twin-rejected", service: { message: "too deep" } });
    const lost = connection.getTwin();
    (await fake.called("getTwin")).done(Object.assign(new Error("no"), { name: "NotConnectedError" }));
    await expect(lost).rejects.toMatchObject({ code: "transport.closed" });
  });

  test("that does not answer a twin request is not waited for without end", async () => {
    const { clock, connect } = setUp();
    const connection = await connect();
    const reading = connection.getTwin();
    reading.catch(() => {});
    await clock.sleeping();
    await clock.advance(30_000);
    await expect(reading).rejects.toMatchObject({ code: "transport.timeout" });
  });

  test("is left after two seconds when the SDK does not disconnect", async () => {
    const { fake, clock, connect } = setUp();
    const connection = await connect();
    fake.easy.delete("disconnect");
    const closing = connection.close();
    await clock.sleeping();
    await clock.advance(2000);
    await closing;
    expect(await connection.ended).toBeUndefined();
  });
});
