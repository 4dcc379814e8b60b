import { connectAsync } from "mqtt";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { TlsDialer } from "../../src/endpoint/tls-dialer.ts";
import { MqttDpsTransport } from "../../src/transport/mqtt/mqtt-dps-transport.ts";
import { MqttHubTransport } from "../../src/transport/mqtt/mqtt-hub-transport.ts";
import { type Mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { lacks } from "../support/system-peer.ts";
import { testCredential } from "../support/test-dialer.ts";

const dpsHost = "global.azure-devices-provisioning.net";
const hubHost = "hub-a.azure-devices.net";
const status = { operationId: "4.op", status: "assigning" };

const dialerTo = ({ caPem }: Mosquitto): TlsDialer =>
  new TlsDialer({ clock: systemClock, trustBundle: caPem, lookup: async () => ["127.0.0.1"] });

/** Somebody behind the broker who plays the service. */
const behind = ({ port, caPem }: Mosquitto, host: string) =>
  connectAsync(`mqtts://127.0.0.1:${port}`, { ca: caPem, servername: host, clientId: "service" });

describe.skipIf(lacks("mosquitto"))("over a broker that somebody else wrote", () => {
  test("a registration request reaches the service, and its answer the device", async () => {
    await using broker = await startMosquitto([dpsHost]);
    const service = await behind(broker, dpsHost);
    const asked: string[] = [];
    service.on("message", (topic, payload) => {
      asked.push(payload.toString());
      const rid = new URLSearchParams(topic.slice(topic.indexOf("?") + 1)).get("$rid");
      service.publish(`$dps/registrations/res/202/?$rid=${rid}&retry-after=3`, JSON.stringify(status));
    });
    await service.subscribeAsync("$dps/registrations/PUT/iotdps-register/#");

    const transport = new MqttDpsTransport({ dialer: dialerTo(broker), clock: systemClock });
    const identity = { idScope: "0ne00000001", registrationId: "press-07", credential: testCredential };
    const channel = await transport.connect({ host: dpsHost, port: broker.port }, identity);
    const answer = await channel.request({ kind: "register", body: { registrationId: "press-07" } });
    expect(asked.map((text) => JSON.parse(text))).toEqual([{ registrationId: "press-07" }]);
    expect({ ...answer, body: JSON.parse(answer.body) }).toEqual({ status: 202, retryAfterMs: 3000, body: status });
    await channel.close();
    await service.endAsync();
  });

  test("telemetry arrives and is acknowledged, a message is completed after its handler, a method is answered", async () => {
    await using broker = await startMosquitto([hubHost]);
    const service = await behind(broker, hubHost);
    const heard: [string, string][] = [];
    const answered = new Promise<void>((resolve) => {
      service.on("message", (topic, payload) => {
        heard.push([topic, payload.toString()]);
        if (topic.startsWith("$iothub/methods/res/")) resolve();
      });
    });
    await service.subscribeAsync(["devices/press-07/messages/events/#", "$iothub/methods/res/#"], { qos: 1 });

    const received: string[] = [];
    const transport = new MqttHubTransport({ dialer: dialerTo(broker), clock: systemClock });
    const connection = await transport.connect(
      { host: hubHost, port: broker.port },
      { deviceId: "press-07", credential: testCredential },
      {
        onMessage: async ({ payload }) => void received.push(Buffer.from(payload).toString()),
        onMethod: async ({ name }) => ({ status: 200, payload: { did: name } }),
      },
    );
    await connection.sendTelemetry({ payload: Buffer.from("21.5"), properties: { alarm: "no" } });
    await service.publishAsync("devices/press-07/messages/devicebound/", "hello", { qos: 1 });
    await service.publishAsync("$iothub/methods/POST/blink/?$rid=1", "{}");
    await answered;
    expect(heard).toEqual([
      ["devices/press-07/messages/events/alarm=no", "21.5"],
      ["$iothub/methods/res/200/?$rid=1", JSON.stringify({ did: "blink" })],
    ]);
    expect(received).toEqual(["hello"]);
    await connection.close();
    await service.endAsync();
  });
});
