import { systemClock } from "../../src/clock.ts";
import { Sightings } from "../../src/testing/sightings.ts";
import { MqttDpsTransport } from "../../src/transport/mqtt/mqtt-dps-transport.ts";
import type { DpsRequest, DpsResponse, DpsTransport } from "../../src/transport/transport.ts";
import type { DpsHarness } from "../contract/dps-transport.ts";
import { type MqttPeerConnection, startMqttPeer } from "./mqtt-peer.ts";
import { testCredential, testDialer } from "./test-dialer.ts";

const dialer = testDialer();

/** A scripted DPS over MQTT, with our transport in front of it, or with another one that finds it at `localhost`. */
export async function startMqttDpsHarness(carrier: "tcp" | "websocket", foreign?: DpsTransport): Promise<DpsHarness> {
  const reactions: (DpsResponse | "silence" | "break")[] = [];
  const requests = new Sightings<DpsRequest>();
  const host = foreign === undefined ? "peer.test" : "localhost";
  let refuse = false;

  const react = (connection: MqttPeerConnection, requestId: string): void => {
    const reaction = reactions.shift() ?? "silence";
    if (reaction === "break") connection.stream.destroy();
    else if (reaction !== "silence") {
      const delay = reaction.retryAfterMs === undefined ? "" : `&retry-after=${reaction.retryAfterMs / 1000}`;
      connection.publish(`$dps/registrations/res/${reaction.status}/?$rid=${requestId}${delay}`, reaction.body);
    }
  };
  const peer = await startMqttPeer(
    {
      onConnect: () => {
        const returnCode = refuse ? 5 : 0;
        refuse = false;
        return returnCode;
      },
      onPublish: ({ topic, payload }, connection) => {
        const [, path, query] = /^\$dps\/registrations\/([^?]+)\/\?(.*)$/.exec(topic) ?? [];
        const fields = new URLSearchParams(query);
        const operationId = fields.get("operationId");
        if (path === "PUT/iotdps-register") requests.add({ kind: "register", body: JSON.parse(String(payload)) });
        else if (path === "GET/iotdps-get-operationstatus" && operationId)
          requests.add({ kind: "status", operationId });
        react(connection, fields.get("$rid") ?? "");
        return undefined;
      },
    },
    carrier,
    { names: [host] },
  );
  return {
    transport: foreign ?? new MqttDpsTransport({ dialer: await dialer, clock: systemClock, carrier }),
    route: { host, port: peer.port },
    identity: { idScope: "0ne00ABCDEF", registrationId: "sensor-17", credential: testCredential },
    next: (reaction) => void reactions.push(reaction),
    refuseNext: () => {
      refuse = true;
    },
    requested: (count) => requests.nth(count),
    idle: () => peer.idle(),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}
