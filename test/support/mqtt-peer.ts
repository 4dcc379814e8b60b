import { createServer } from "node:http";
import type { Duplex } from "node:stream";
import type { IConnectPacket, IPublishPacket, Packet } from "mqtt-packet";
import mqttPacket from "mqtt-packet";
import { createWebSocketStream, WebSocketServer } from "ws";
import { Sightings } from "../../src/testing/sightings.ts";
import { startTlsPeer, type TlsPeerOptions } from "./tls-peer.ts";

/** What a scripted peer does when something arrives; everything is optional. */
export interface MqttScript {
  /** Return code of CONNACK, or `silent` for none. Default 0. */
  onConnect?(connect: IConnectPacket): number | "silent";
  /** Called for every publication; QoS 1 is acknowledged afterwards unless it returns `held`. */
  onPublish?(publish: IPublishPacket, connection: MqttPeerConnection): "held" | undefined;
  /** Return code for each filter of SUBSCRIBE. Default: what was asked. */
  onSubscribe?(filter: string): number;
  /** Whether PINGREQ is answered. Default true. */
  answersPings?: boolean;
  /** Session present flag of CONNACK. Default false. */
  sessionPresent?: boolean;
}

/** One client of a {@link MqttPeer}. */
export class MqttPeerConnection {
  /** Everything the client sent, CONNECT first. */
  readonly #received = new Sightings<Packet>();
  readonly stream: Duplex;

  constructor(stream: Duplex, script: MqttScript) {
    this.stream = stream;
    const parser = mqttPacket.parser();
    parser.on("packet", (packet: Packet) => {
      this.#received.add(packet);
      this.#answer(packet, script);
    });
    stream.on("data", (bytes: Buffer) => parser.parse(bytes));
    stream.on("error", () => {});
  }

  get received(): readonly Packet[] {
    return this.#received.all;
  }

  /** Everything received of one type, in order. */
  all<Command extends Packet["cmd"]>(cmd: Command): Extract<Packet, { cmd: Command }>[] {
    return this.received.filter((packet): packet is Extract<Packet, { cmd: Command }> => packet.cmd === cmd);
  }

  /** Resolves with the `count`-th packet (1 is the first) of one type. */
  async nth<Command extends Packet["cmd"]>(cmd: Command, count = 1): Promise<Extract<Packet, { cmd: Command }>> {
    for (let seen = this.received.length; this.all(cmd).length < count; seen++) await this.#received.nth(seen + 1);
    return this.all(cmd)[count - 1] as Extract<Packet, { cmd: Command }>;
  }

  send(packet: Packet): void {
    this.stream.write(mqttPacket.generate(packet));
  }

  publish(topic: string, payload: string | Buffer, more: Partial<IPublishPacket> = {}): void {
    this.send({ cmd: "publish", topic, payload, qos: 0, dup: false, retain: false, ...more });
  }

  #answer(packet: Packet, script: MqttScript): void {
    switch (packet.cmd) {
      case "connect": {
        const returnCode = script.onConnect?.(packet) ?? 0;
        if (returnCode === "silent") return;
        const sessionPresent = returnCode === 0 && (script.sessionPresent ?? false);
        this.send({ cmd: "connack", returnCode, sessionPresent });
        if (returnCode !== 0) this.stream.end();
        return;
      }
      case "subscribe": {
        const granted = packet.subscriptions.map(({ topic, qos }) => script.onSubscribe?.(topic) ?? qos);
        this.send({ cmd: "suback", messageId: packet.messageId as number, granted });
        return;
      }
      case "publish":
        if (script.onPublish?.(packet, this) !== "held" && packet.qos === 1) {
          this.send({ cmd: "puback", messageId: packet.messageId as number });
        }
        return;
      case "unsubscribe":
        this.send({ cmd: "unsuback", messageId: packet.messageId as number, granted: [] });
        return;
      case "pingreq":
        if (script.answersPings !== false) this.send({ cmd: "pingresp" });
        return;
      case "disconnect":
        this.stream.end();
        return;
    }
  }
}

/** An MQTT peer on loopback that does what its script says. */
export interface MqttPeer extends AsyncDisposable {
  readonly port: number;
  readonly connections: readonly MqttPeerConnection[];
  /** Paths and subprotocols that were asked for, when it is a WebSocket peer. */
  readonly upgrades: readonly { readonly path: string; readonly protocols: readonly string[] }[];
  /** Resolves with the `count`-th connection (1 is the first). */
  connected(count: number): Promise<MqttPeerConnection>;
  /** Resolves when no TCP connection is open any more. */
  idle(): Promise<void>;
}

/** Starts a peer over TLS, on TCP or WebSocket; for the name `peer.test` unless told otherwise. */
export async function startMqttPeer(
  script: MqttScript = {},
  carrier: "tcp" | "websocket" = "tcp",
  options: TlsPeerOptions = {},
): Promise<MqttPeer> {
  const connections = new Sightings<MqttPeerConnection>();
  const upgrades: { path: string; protocols: string[] }[] = [];
  const accept = (stream: Duplex): void => connections.add(new MqttPeerConnection(stream, script));

  const http = createServer();
  const webSockets = new WebSocketServer({
    server: http,
    handleProtocols: (protocols, request) => {
      upgrades.push({ path: request.url ?? "", protocols: [...protocols] });
      return protocols.has("mqtt") && "mqtt";
    },
  });
  webSockets.on("connection", (webSocket) => accept(createWebSocketStream(webSocket)));

  const tls = await startTlsPeer((socket) => {
    if (carrier === "tcp") accept(socket);
    else http.emit("connection", socket);
  }, options);
  return {
    port: tls.port,
    get connections() {
      return connections.all;
    },
    upgrades,
    connected: (count) => connections.nth(count),
    idle: () => tls.idle(),
    [Symbol.asyncDispose]: () => tls[Symbol.asyncDispose](),
  };
}
