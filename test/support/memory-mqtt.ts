import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Dialer, DialOptions, DialTarget } from "../../src/endpoint/dialer.ts";
import { Sightings } from "../../src/testing/sightings.ts";
import { duplexPair } from "./duplex-pair.ts";
import { MqttPeerConnection, type MqttScript } from "./mqtt-peer.ts";

/** A dialer whose every dial reaches a scripted MQTT peer in memory. No TLS, no sockets, no time. */
export class MemoryMqtt implements Dialer {
  /** Where and how it was asked to dial. */
  readonly dials: { readonly target: DialTarget; readonly options: DialOptions }[] = [];
  /** The client's ends, to see whether they were given up. */
  readonly streams: Duplex[] = [];
  readonly #connections = new Sightings<MqttPeerConnection>();
  readonly #script: MqttScript;

  constructor(script: MqttScript = {}) {
    this.#script = script;
  }

  async dial(target: DialTarget, options: DialOptions = {}) {
    options.signal?.throwIfAborted();
    this.dials.push({ target, options });
    const [client, service] = duplexPair();
    this.streams.push(client);
    this.#connections.add(new MqttPeerConnection(service, this.#script));
    return {
      socket: client as TLSSocket,
      path: { address: "memory", remoteAddress: "memory", remotePort: target.port },
    };
  }

  /** Resolves with the `count`-th connection (1 is the first). */
  connected(count = 1): Promise<MqttPeerConnection> {
    return this.#connections.nth(count);
  }

  /** The newest connection. */
  get peer(): MqttPeerConnection {
    const newest = this.#connections.all.at(-1);
    if (!newest) throw new Error("nobody has dialled yet");
    return newest;
  }
}
