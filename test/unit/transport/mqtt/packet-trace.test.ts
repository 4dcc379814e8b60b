import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { channelNames, type MqttPacketTrace } from "../../../../src/diagnostics.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import { MqttHubTransport } from "../../../../src/transport/mqtt/mqtt-hub-transport.ts";
import { MemoryMqtt } from "../../../support/memory-mqtt.ts";
import { testCredential, tokenText } from "../../../support/test-dialer.ts";

const seen: MqttPacketTrace[] = [];
const listen = (message: unknown): void => void seen.push(message as MqttPacketTrace);
beforeEach(() => {
  seen.length = 0;
  subscribe(channelNames.mqttPacket, listen);
});
afterEach(() => unsubscribe(channelNames.mqttPacket, listen));

describe("the trace of MQTT packets", () => {
  test("shows a whole connection, without passwords, bodies or properties", async () => {
    const dialer = new MemoryMqtt();
    const transport = new MqttHubTransport({ dialer, clock: new FakeClock() });
    const identity = { deviceId: "sensor-17", credential: testCredential };
    const onMessage = async (): Promise<void> => {};
    const connection = await transport.connect({ host: "hub.test" }, identity, { onMessage });
    await connection.sendTelemetry({ payload: Buffer.from("b0dy"), properties: { pr0perty: "v" } });
    dialer.peer.publish("devices/sensor-17/messages/devicebound/pr0perty=v", "b0dy", { qos: 1, messageId: 5 });
    await dialer.peer.nth("puback");
    await connection.close();

    const events = "devices/sensor-17/messages/events/";
    const messages = "devices/sensor-17/messages/devicebound/";
    const host = "hub.test";
    expect(seen).toEqual([
      { direction: "sent", host, cmd: "connect" },
      { direction: "received", host, cmd: "connack", returnCode: 0 },
      { direction: "sent", host, cmd: "subscribe", topics: [`${messages}#`], packetId: expect.any(Number) },
      { direction: "received", host, cmd: "suback", packetId: expect.any(Number) },
      {
        direction: "sent",
        host,
        cmd: "publish",
        topic: `${events}…`,
        topicBytes: events.length + "pr0perty=v".length,
        payloadBytes: 4,
        qos: 1,
        dup: false,
        packetId: expect.any(Number),
      },
      { direction: "received", host, cmd: "puback", packetId: expect.any(Number) },
      expect.objectContaining({ direction: "received", cmd: "publish", topic: `${messages}…`, packetId: 5 }),
      { direction: "sent", host, cmd: "puback", packetId: 5 },
      { direction: "sent", host, cmd: "disconnect" },
    ]);
    const text = JSON.stringify(seen);
    for (const secret of [tokenText, "b0dy", "pr0perty"]) expect(text).not.toContain(secret);
  });
});
