import { once } from "node:events";
import type { AddressInfo } from "node:net";
import tls, { type TLSSocket } from "node:tls";
import mqttPacket, { type Packet } from "mqtt-packet";
import type { Emulator } from "../../src/emulator/index.ts";

/** One MQTT connection as its client made it. */
export interface RecordedConnection {
  /** The name that the client asked for. */
  readonly serverName: string;
  /** What the client sent, in order. */
  readonly packets: readonly Packet[];
}

/** Stands in front of an emulator's MQTT port, takes TLS off, writes down what clients send, and hands everything on. */
export interface MqttRecorder extends AsyncDisposable {
  readonly port: number;
  readonly connections: readonly RecordedConnection[];
}

/** Starts a {@link MqttRecorder}; its certificate is from the emulator's authority. */
export async function startMqttRecorder(emulator: Emulator): Promise<MqttRecorder> {
  const { dpsHost, hubs, mqttPort } = emulator.ready;
  const { chainPem, privateKeyPem } = await emulator.authority.issue({
    commonName: "recorder",
    dnsNames: [dpsHost, ...hubs],
    usage: "server",
  });
  const connections: { serverName: string; packets: Packet[] }[] = [];
  const sockets = new Set<TLSSocket>();
  const server = tls.createServer({ cert: chainPem, key: privateKeyPem }, (client) => {
    const { servername = "" } = client as { servername?: string };
    const packets: Packet[] = [];
    connections.push({ serverName: servername, packets });
    const parser = mqttPacket.parser();
    parser.on("packet", (packet: Packet) => packets.push(packet));
    const service = tls.connect({
      host: "127.0.0.1",
      port: mqttPort,
      servername,
      ca: emulator.authority.certificatePem,
    });
    client.on("data", (bytes: Buffer) => parser.parse(bytes));
    client.pipe(service).pipe(client);
    for (const [one, other] of [
      [client, service],
      [service, client],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.once("close", () => other.destroy());
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
