import { createHmac } from "node:crypto";
import type { Duplex } from "node:stream";
import { duplexPair } from "node:stream";
import tls from "node:tls";
import { type IClientOptions, MqttClient } from "mqtt";
import { createWebSocketStream, WebSocket } from "ws";
import type { Emulator } from "../../src/emulator/index.ts";
import { Sightings } from "../../src/testing/sightings.ts";

/** A message that a foreign device has been sent. */
export interface ForeignMessage {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly dup: boolean;
}

/** What a foreign device says at CONNECT. */
export interface ForeignOptions
  extends Pick<IClientOptions, "clientId" | "username" | "password" | "clean" | "keepalive" | "will"> {
  /** Whether messages with QoS 1 are acknowledged. Default true. */
  readonly acknowledges?: boolean;
}

/** A device that is none of ours: the `mqtt` package, told what to say word for word. */
export class ForeignDevice implements AsyncDisposable {
  readonly client: MqttClient;
  readonly messages = new Sightings<ForeignMessage>();
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
  readonly sessionPresent: boolean;

  private constructor(client: MqttClient, sessionPresent: boolean, messages: Sightings<ForeignMessage>) {
    this.client = client;
    this.sessionPresent = sessionPresent;
    this.messages = messages;
    this.closed = new Promise((resolve) => client.once("close", () => resolve()));
  }

  /** Rejects with the number of CONNACK when the service refuses, with `closed` when it only closes. */
  static connect(stream: () => Duplex, { acknowledges = true, ...options }: ForeignOptions): Promise<ForeignDevice> {
    const messages = new Sightings<ForeignMessage>();
    const client = new MqttClient(stream, { reconnectPeriod: 0, clean: true, keepalive: 0, ...options });
    if (!acknowledges) client.handleMessage = () => {};
    client.on("message", (topic, payload, { qos, dup }) => messages.add({ topic, payload: `${payload}`, qos, dup }));
    return new Promise((resolve, reject) => {
      client.once("connect", ({ sessionPresent }) => resolve(new ForeignDevice(client, sessionPresent, messages)));
      client.on("error", (error) => reject((error as { code?: number }).code ?? error));
      client.once("close", () => reject("closed"));
    });
  }

  async subscribe(...filters: string[]): Promise<void> {
    for (const filter of filters) await this.client.subscribeAsync(filter, { qos: 1 });
  }

  /** Publishes with QoS 1 unless told otherwise; resolves when it is acknowledged. */
  async publish(topic: string, payload: string | Buffer = "", qos: 0 | 1 | 2 = 1): Promise<void> {
    await this.client.publishAsync(topic, payload, { qos });
  }

  /** Publishes and resolves with the next message that arrives. */
  async ask(topic: string, payload = ""): Promise<ForeignMessage> {
    const answered = this.messages.nth(this.messages.all.length + 1);
    await this.publish(topic, payload, 0);
    return answered;
  }

  /** Says DISCONNECT. */
  async leave(): Promise<void> {
    await this.client.endAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.endAsync(true);
  }
}

/** Where a foreign device dials, and with what. */
export interface Dial {
  /** The name it asks for and verifies. */
  readonly servername: string;
  /** PEM chain and key of a client certificate. */
  readonly identity?: { readonly chainPem: string; readonly privateKeyPem: string };
}

/** A TLS connection to the emulator's MQTT port. */
export function overTls({ ready, authority }: Emulator, { servername, identity }: Dial): () => Duplex {
  return () =>
    tls.connect({
      host: "127.0.0.1",
      port: ready.mqttPort,
      servername,
      ca: authority.certificatePem,
      ...(identity === undefined ? {} : { cert: identity.chainPem, key: identity.privateKeyPem }),
    });
}

/** A WebSocket connection to the emulator, offering `protocol`. */
export function overWebSocket(
  { ready, authority }: Emulator,
  { servername, identity }: Dial,
  { protocol = "mqtt", path = "/$iothub/websocket" } = {},
): () => Duplex {
  return () => {
    const webSocket = new WebSocket(`wss://${servername}${path}`, protocol, {
      createConnection: () =>
        tls.connect({
          host: "127.0.0.1",
          port: ready.wsPort,
          servername,
          ca: authority.certificatePem,
          ...(identity === undefined ? {} : { cert: identity.chainPem, key: identity.privateKeyPem }),
        }),
    });
    return createWebSocketStream(webSocket, { allowHalfOpen: false });
  };
}

/** A way to carry MQTT to the emulator. */
export type Carrier = (emulator: Emulator, dial: Dial) => () => Duplex;

/** Every way there is, by the name that tests show. */
export const carriers: Readonly<Record<string, Carrier>> = {
  MQTT: overTls,
  "MQTT over WebSocket as mqtt": (emulator, dial) => overWebSocket(emulator, dial, { protocol: "mqtt" }),
  "MQTT over WebSocket as MQTT": (emulator, dial) => overWebSocket(emulator, dial, { protocol: "MQTT" }),
};

/** Two ends of a connection in memory; the second one is handed to `serve`. */
export function inMemory(serve: (stream: Duplex) => void): () => Duplex {
  return () => {
    const [device, service] = duplexPair();
    // As sockets do: the far end's farewell ends this end, and one end that is cut takes the other with it.
    for (const [end, other] of [
      [device, service],
      [service, device],
    ] as const) {
      end.once("end", () => end.end());
      end.once("close", () => other.destroy());
    }
    serve(service);
    return device;
  };
}

/** A token in one of the spellings that clients write. */
export function sasToken(
  resource: string,
  key: string,
  {
    expiresAtMs,
    tail = "",
    encode = encodeURIComponent,
  }: { expiresAtMs: number; tail?: string; encode?: (text: string) => string },
): string {
  const [sr, se] = [encode(resource), Math.ceil(expiresAtMs / 1000)];
  const signature = createHmac("sha256", Buffer.from(key, "base64")).update(`${sr}\n${se}`).digest("base64");
  return `SharedAccessSignature sr=${sr}&sig=${encodeURIComponent(signature)}&se=${se}${tail}`;
}
