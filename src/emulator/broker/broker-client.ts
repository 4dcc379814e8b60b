import { randomUUID } from "node:crypto";
import type { MqttClient } from "mqtt";
import { describeCause, LandfallError } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import type { PublishPacket } from "../mqtt/packets.ts";
import type { BrokerAddress } from "./broker-address.ts";

/** What a {@link BrokerClient} is made with. */
export interface BrokerClientOptions {
  readonly address: BrokerAddress;
  /** PEM of the authorities that may have signed the broker's certificate. Default: those of the platform. */
  readonly ca: string | undefined;
  readonly filters: readonly string[];
  readonly log: Logger;
  readonly onPublish: (packet: PublishPacket) => void;
}

/** How long the broker may take to accept a connection. */
const connectTimeoutMs = 10_000;

/** A client of an outside broker that comes back when the connection breaks. */
export class BrokerClient {
  readonly #client: MqttClient;

  private constructor(client: MqttClient) {
    this.#client = client;
  }

  /** Connects and subscribes. Rejects with `emulator.broker-failed`; nothing stays open then. */
  static async open({ address, ca, filters, log, onPublish }: BrokerClientOptions): Promise<BrokerClient> {
    const { username, password, text } = address;
    const { connectAsync } = await import("mqtt");
    const failed = (what: string) => (cause: unknown) => {
      throw new LandfallError("emulator.broker-failed", `${text} ${what}: ${describeCause(cause)}`, { cause });
    };
    const options = {
      clientId: `landfall-emulator-${randomUUID()}`,
      ...(username === undefined ? {} : { username }),
      // Bytes, because the library prints its options, texts among them, for DEBUG=mqtt*.
      ...(password === undefined ? {} : { password: Buffer.from(password.reveal()) }),
      ...(ca === undefined ? {} : { ca }),
      rejectUnauthorized: true,
      connectTimeout: connectTimeoutMs,
    } as const;
    const client = await connectAsync(text, options, false).catch(failed("did not let the emulator in"));
    client.on("error", (error) => log.warn(() => `${text}: ${error.message}`));
    client.on("close", () => log.warn(() => `the connection to ${text} is lost`));
    client.on("connect", () => log.info(() => `connected to ${text} again`));
    client.on("message", (topic, payload, { qos, retain, dup }) => {
      onPublish({ type: "publish", topic, payload, qos: qos === 0 ? 0 : 1, retain, duplicate: dup });
    });
    try {
      await client.subscribeAsync([...filters], { qos: 1 }).catch(failed("did not let the emulator subscribe"));
    } catch (error) {
      await closeQuietly(client);
      throw error;
    }
    return new BrokerClient(client);
  }

  /** Resolves when the broker has taken the message; QoS 0: when it is written. */
  async publish(topic: string, payload: Buffer, qos: 0 | 1): Promise<void> {
    await this.#client.publishAsync(topic, payload, { qos });
  }

  close(): Promise<void> {
    return closeQuietly(this.#client);
  }
}

async function closeQuietly(client: MqttClient): Promise<void> {
  client.removeAllListeners("close");
  await client.endAsync(!client.connected);
}
