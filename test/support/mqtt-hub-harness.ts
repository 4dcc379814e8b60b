import type { IPublishPacket } from "mqtt-packet";
import { systemClock } from "../../src/clock.ts";
import type { JsonObject, JsonValue } from "../../src/json.ts";
import { FakeTwin } from "../../src/testing/fake-twin.ts";
import { Sightings } from "../../src/testing/sightings.ts";
import type { TelemetryMessage } from "../../src/transport/messages.ts";
import { MqttHubTransport } from "../../src/transport/mqtt/mqtt-hub-transport.ts";
import type { HubTransport } from "../../src/transport/transport.ts";
import type { HubHarness } from "../contract/hub-transport.ts";
import { gone } from "./gone.ts";
import { type MqttPeerConnection, startMqttPeer } from "./mqtt-peer.ts";
import { testCredential, testDialer } from "./test-dialer.ts";

const dialer = testDialer();
const deviceId = "sensor-17";

/** A scripted hub over MQTT, with our transport in front of it, or with another one that finds it at `localhost`. */
export async function startMqttHubHarness(carrier: "tcp" | "websocket", foreign?: HubTransport): Promise<HubHarness> {
  const telemetry = new Sightings<TelemetryMessage>();
  const unacknowledged: (() => void)[] = [];
  const refusedTwinOperations: number[] = [];
  const twin = new FakeTwin();
  const host = foreign === undefined ? "peer.test" : "localhost";
  let held = false;
  let refuse = false;
  let latest: MqttPeerConnection | undefined;
  let packetId = 0;

  const takeTelemetry = (publish: IPublishPacket, connection: MqttPeerConnection): "held" | undefined => {
    telemetry.add(telemetryOf(publish));
    if (!held) return undefined;
    unacknowledged.push(() => connection.send({ cmd: "puback", messageId: publish.messageId as number }));
    return "held";
  };
  const takeTwinRequest = ({ topic, payload }: IPublishPacket, connection: MqttPeerConnection): void => {
    const requestId = /\$rid=(.+)$/.exec(topic)?.[1];
    const refusal = refusedTwinOperations.shift();
    const answer = (status: number, body: string, version = ""): void =>
      connection.publish(`$iothub/twin/res/${status}/?$rid=${requestId}${version}`, body);
    if (refusal !== undefined) answer(refusal, JSON.stringify({ errorCode: refusal * 1000, message: "no" }));
    else if (topic.startsWith("$iothub/twin/GET/")) answer(200, JSON.stringify(twin.document));
    else answer(204, "", `&$version=${twin.changeReported(JSON.parse(String(payload)) as JsonObject)}`);
  };
  const peer = await startMqttPeer(
    {
      onConnect: () => {
        const returnCode = refuse ? 5 : 0;
        refuse = false;
        return returnCode;
      },
      onPublish: (publish, connection) => {
        if (publish.topic.startsWith(`devices/${deviceId}/messages/events/`)) return takeTelemetry(publish, connection);
        if (publish.topic.startsWith("$iothub/twin/")) takeTwinRequest(publish, connection);
        return undefined;
      },
    },
    carrier,
    { names: [host] },
  );
  const transport = foreign ?? new MqttHubTransport({ dialer: await dialer, clock: systemClock, carrier });
  const connection = async (): Promise<MqttPeerConnection> => {
    latest = peer.connections.at(-1) ?? (await peer.connected(1));
    return latest;
  };
  return {
    transport,
    route: { host, port: peer.port },
    identity: { deviceId, credential: testCredential },
    telemetry: (count) => telemetry.nth(count),
    holdAcknowledgements: () => {
      held = true;
    },
    acknowledge: () => unacknowledged.shift()?.(),
    deliver: async ({ payload, properties, messageId, correlationId, ack }) => {
      const client = await connection();
      packetId += 1;
      const id = packetId;
      const system = { "$.mid": messageId, "$.cid": correlationId, "iothub-ack": ack, "$.to": `/devices/${deviceId}` };
      const bag = Object.entries({ ...system, ...properties })
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value ?? "")}`)
        .join("&");
      client.publish(`devices/${deviceId}/messages/devicebound/${bag}`, payload, { qos: 1, messageId: id });
      const closed = gone(client.stream);
      for (let count = 1; ; count++) {
        const puback = await Promise.race([client.nth("puback", count), closed]);
        if (puback === undefined) return client.all("puback").some(({ messageId }) => messageId === id);
        if (puback.messageId === id) return true;
      }
    },
    invoke: async (name, payload) => {
      const client = await connection();
      const answersBefore = client
        .all("publish")
        .filter(({ topic }) => topic.startsWith("$iothub/methods/res/")).length;
      client.publish(
        `$iothub/methods/POST/${name}/?$rid=${answersBefore}`,
        payload === undefined ? "" : JSON.stringify(payload),
      );
      for (let count = 1; ; count++) {
        const publish = await client.nth("publish", count);
        const [, status, requestId] = /^\$iothub\/methods\/res\/(\d+)\/\?\$rid=(\d+)$/.exec(publish.topic) ?? [];
        if (requestId !== String(answersBefore)) continue;
        const body = String(publish.payload);
        return { status: Number(status), ...(body === "" ? {} : { payload: JSON.parse(body) as JsonValue }) };
      }
    },
    setTwin: (document) => {
      twin.document = document;
    },
    pushDesired: (patch) => {
      const version = twin.changeDesired(patch);
      const body = JSON.stringify({ ...patch, $version: version });
      peer.connections.at(-1)?.publish(`$iothub/twin/PATCH/properties/desired/?$version=${version}`, body);
    },
    refuseNext: () => {
      refuse = true;
    },
    refuseTwin: (status) => void refusedTwinOperations.push(status),
    breakConnection: () => void peer.connections.at(-1)?.stream.destroy(),
    idle: () => peer.idle(),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

function telemetryOf({ topic, payload }: IPublishPacket): TelemetryMessage {
  const names: Readonly<Record<string, string>> = {
    "$.mid": "messageId",
    "$.cid": "correlationId",
    "$.ct": "contentType",
    "$.ce": "contentEncoding",
    "$.sub": "component",
  };
  const system: Record<string, string> = {};
  const properties: Record<string, string> = {};
  for (const pair of topic.split("/events/")[1]?.split("&").filter(Boolean) ?? []) {
    const [name = "", value = ""] = pair.split("=").map(decodeURIComponent);
    const known = names[name];
    if (known) system[known] = value;
    else properties[name] = value;
  }
  const some = Object.keys(properties).length > 0;
  return { payload: new Uint8Array(Buffer.from(payload)), ...system, ...(some ? { properties } : {}) };
}
