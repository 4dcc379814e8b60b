import { setMaxListeners } from "node:events";
import type { Duplex } from "node:stream";
import { type Clock, systemClock } from "../../clock.ts";
import { describeCause } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import { decodePacket } from "./decode.ts";
import type { DeviceLink } from "./device-link.ts";
import { encodeConnack, encodePingresp, encodePuback, encodePublish, encodeSuback, encodeUnsuback } from "./encode.ts";
import { type Frame, type FrameFault, FrameReader } from "./frames.ts";
import { Outlet } from "./outlet.ts";
import {
  type ClientPacket,
  type ConnectPacket,
  connackCodes,
  type PublishPacket,
  type Qos,
  type SubscriptionRequest,
} from "./packets.ts";
import type { Peer } from "./peer.ts";
import { type Rule, rules } from "./rules.ts";
import type { ConnectAnswer, MqttService } from "./service.ts";
import { Unacknowledged } from "./unacknowledged.ts";

/** What an {@link MqttLink} is made with. */
export interface MqttLinkOptions {
  readonly stream: Duplex;
  readonly peer: Peer;
  /** Ends the connection as a failing network does. Default: only destroys the stream. */
  readonly cut?: (manner: CutManner) => void;
  readonly log: Logger;
  /** Finds the service that a client wants; `undefined` when there is none by that name. */
  readonly route: (link: DeviceLink, packet: ConnectPacket) => MqttService | undefined;
  /** Told when the client broke a rule, just before the connection is closed. */
  readonly onBreach?: (rule: Rule, service: string | undefined, clientId: string) => void;
  /**
   * Time of connection timeout and keep-alive. Apart from the clock that judges credentials: a test that moves that one by
   * an hour must not look like an hour of silence. Default the machine's.
   */
  readonly timers?: Clock;
  /** Milliseconds within which CONNECT has to arrive. Default 10 000. */
  readonly connectTimeoutMs?: number;
}

/** With a reset, which may overtake what was sent, or by closing, once that has gone out. */
export type CutManner = "reset" | "close";

/** Topic and payload of the largest message that a hub takes, with room for what a hub itself has to judge. */
const maxPacketBytes = 262_144 + 65_535 + 16;

/** A topic's length has two bytes. */
const maxTopicBytes = 65_535;

/** Type and flags of CONNECT. */
const connectByte = 0x10;

/** Stands in for a CONNECT that has not arrived; no service ever sees it. */
const noConnect: ConnectPacket = {
  type: "connect",
  protocolName: "",
  protocolLevel: 0,
  cleanSession: true,
  keepAliveSeconds: 0,
  clientId: "",
};

/** How long a closed connection may linger for the client's own end. */
const farewellMs = 1000;

/** IoT Hub never waits longer for a sign of life, whatever keep-alive the client asks for. */
const longestSilenceMs = 1_767_000;

/**
 * The server's end of one MQTT 3.1.1 connection: packets in and out, acknowledgements, keep-alive. What packets mean is
 * decided by the {@link MqttService} that the CONNECT leads to.
 */
export class MqttLink implements DeviceLink {
  readonly peer: Peer;
  readonly signal: AbortSignal;
  silent = false;
  readonly #stream: Duplex;
  readonly #outlet: Outlet;
  readonly #log: Logger;
  readonly #timers: Clock;
  readonly #route: MqttLinkOptions["route"];
  readonly #onBreach: MqttLinkOptions["onBreach"];
  readonly #cut: MqttLinkOptions["cut"];
  readonly #frames = new FrameReader(maxPacketBytes);
  readonly #ended = new AbortController();
  readonly #unacknowledged = new Unacknowledged();
  #service: MqttService | undefined;
  #connect: ConnectPacket | undefined;
  #heard = false;
  #open = false;
  #tookLeave = false;
  #lastHeardMs: number;
  #closeReason = "the client closed the connection";

  constructor(options: MqttLinkOptions) {
    this.peer = options.peer;
    this.#stream = options.stream;
    this.#outlet = new Outlet(options.stream, (bytes) => {
      this.#break("close", `the emulator cut the connection after ${bytes} bytes`);
    });
    this.#log = options.log;
    this.#timers = options.timers ?? systemClock;
    this.#route = options.route;
    this.#onBreach = options.onBreach;
    this.#cut = options.cut;
    this.signal = this.#ended.signal;
    setMaxListeners(0, this.signal); // every method call under way listens
    this.#lastHeardMs = this.#timers.elapsed();
    this.#stream.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#stream.on("end", () => this.#end());
    this.#stream.on("error", (error) => {
      this.#closeReason = `the connection broke: ${error.message}`;
      this.#end();
    });
    this.#stream.on("close", () => this.#end());
    this.#awaitConnect(options.connectTimeoutMs ?? 10_000).catch(() => {}); // the wait ends with the connection
  }

  get connectPacket(): ConnectPacket {
    return this.#connect ?? noConnect;
  }

  get closeReason(): string {
    return this.#closeReason;
  }

  send(topic: string, payload: string | Uint8Array = ""): void {
    if (Buffer.byteLength(topic) > maxTopicBytes) this.breach("message-too-large", "a topic of more than 65 535 bytes");
    else this.#write(encodePublish({ topic, payload: Buffer.from(payload) }));
  }

  sendAcknowledged(topic: string, payload: Uint8Array, { duplicate = false } = {}): Promise<void> {
    if (this.signal.aborted) return Promise.reject(this.signal.reason);
    const { packetId, acknowledged } = this.#unacknowledged.add();
    this.#write(encodePublish({ topic, payload, packetId, duplicate }));
    return acknowledged;
  }

  breach(rule: Rule, detail?: string): void {
    if (this.signal.aborted) return;
    this.#report(rule, detail);
    this.close();
  }

  /** Closes the connection after what was written has gone out. */
  close(reason?: string): void {
    if (reason !== undefined) this.#closeReason = reason;
    if (!this.#stream.destroyed) {
      this.#stream.end();
      // A client that never answers the farewell does not keep its socket.
      setTimeout(() => this.#stream.destroy(), farewellMs).unref();
    }
    this.#end();
  }

  cutNext(bytes: number): void {
    this.#outlet.cutNext(bytes);
  }

  drop(reason = "the emulator cut the connection"): void {
    this.#break("reset", reason);
  }

  #break(manner: CutManner, reason: string): void {
    if (!this.signal.aborted) this.#closeReason = reason;
    this.#cut?.(manner);
    this.#stream.destroy();
    this.#end();
  }

  #receive(chunk: Buffer): void {
    if (this.signal.aborted || this.#outlet.isDoomed) return;
    this.#lastHeardMs = this.#timers.elapsed();
    if (!this.#heard && chunk[0] !== connectByte) {
      // Told at the first byte: what follows may never add up to a packet.
      this.breach("unexpected-packet", "the first byte is not that of CONNECT"); // [MQTT-3.1.0-1]
      return;
    }
    this.#heard = true;
    try {
      for (const frame of this.#frames.push(chunk)) {
        this.#take(frame);
        if (this.signal.aborted || this.#outlet.isDoomed) return;
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Whatever a client sends, and whatever a callback of the owner does with it, ends one connection at most. */
  #fail(error: unknown): void {
    if (this.signal.aborted) return;
    this.#log.error(() => `a packet could not be served: ${describeCause(error)}`);
    this.drop("the emulator failed on a packet");
  }

  #take(frame: Frame | FrameFault): void {
    if ("kind" in frame) this.#refuseFrame(frame);
    else if (!this.silent) {
      const packet = decodePacket(frame);
      if (packet.type === "malformed") this.breach("malformed-packet", packet.why);
      else if (packet.type === "connect") this.#connectOnce(packet);
      else if (this.#service === undefined || !this.#open) this.breach("unexpected-packet", `${packet.type} too early`);
      else this.#handle(packet, this.#service);
    }
  }

  #refuseFrame(fault: FrameFault): void {
    if (fault.kind === "malformed") this.breach("malformed-packet", "a packet length of more than four bytes");
    else this.breach("message-too-large", `${fault.bytes} bytes in one packet, at most ${maxPacketBytes}`);
  }

  #connectOnce(packet: ConnectPacket): void {
    if (this.#connect !== undefined) {
      this.breach("unexpected-packet", "a second CONNECT"); // [MQTT-3.1.0-2]
      return;
    }
    this.#connect = packet;
    if (packet.protocolName !== "MQTT" || packet.protocolLevel !== 4) {
      this.#log.warn(() => `refused a client: ${packet.protocolName} level ${packet.protocolLevel} is not MQTT 3.1.1`);
      this.#write(encodeConnack(connackCodes.unacceptableProtocolVersion, false));
      this.close("refused: not MQTT 3.1.1");
      return;
    }
    this.#service = this.#route(this, packet);
    if (this.#service === undefined) this.close("no service by the name that the client asked for");
    else this.#introduce(packet, this.#service);
  }

  #introduce(packet: ConnectPacket, service: MqttService): void {
    const answer = service.connect(this, packet);
    if (answer.after === undefined) this.#answerConnect(answer, packet, service);
    else answer.after.then(() => this.#answerConnect(answer, packet, service)).catch((error) => this.#fail(error));
  }

  #answerConnect({ code, sessionPresent = false }: ConnectAnswer, packet: ConnectPacket, service: MqttService): void {
    if (this.signal.aborted || this.silent) return;
    this.#write(encodeConnack(code, sessionPresent));
    if (this.#outlet.isDoomed) return;
    if (code !== connackCodes.accepted) {
      this.close(`refused with CONNACK ${code}`);
      return;
    }
    this.#open = true;
    const keepAliveMs = packet.keepAliveSeconds * 1500; // [MQTT-3.1.2-24]
    if (keepAliveMs > 0) this.#awaitSilence(Math.min(keepAliveMs, longestSilenceMs)).catch(() => {});
    service.opened(this);
  }

  #handle(packet: Exclude<ClientPacket, ConnectPacket>, service: MqttService): void {
    switch (packet.type) {
      case "publish":
        this.#publish(packet, service);
        break;
      case "puback":
        this.#unacknowledged.settle(packet.packetId);
        break;
      case "subscribe":
        this.#subscribe(packet.packetId, packet.subscriptions, service);
        break;
      case "unsubscribe":
        for (const filter of packet.filters) service.unsubscribe(this, filter);
        this.#write(encodeUnsuback(packet.packetId));
        break;
      case "pingreq":
        this.#write(encodePingresp());
        break;
      case "disconnect":
        this.#tookLeave = true;
        this.close("the client disconnected");
        break;
      default:
        this.breach("unexpected-packet", packet.type);
    }
  }

  #publish(packet: PublishPacket, service: MqttService): void {
    if (packet.qos === 2) {
      this.breach("qos-2", `topic ${packet.topic}`);
      return;
    }
    const after = service.publish(this, packet);
    if (after === undefined) this.#acknowledge(packet);
    else void after.then(() => this.#acknowledge(packet));
  }

  #acknowledge({ packetId }: PublishPacket): void {
    if (packetId !== undefined) this.#write(encodePuback(packetId));
  }

  #subscribe(packetId: number, subscriptions: readonly SubscriptionRequest[], service: MqttService): void {
    const granted: Qos[] = [];
    for (const { filter, qos } of subscriptions) {
      const grant = service.subscribe(this, filter, qos);
      if (grant === undefined) return;
      granted.push(grant);
    }
    this.#write(encodeSuback(packetId, granted));
    service.subscribed(this);
  }

  #write(bytes: Buffer): void {
    if (this.silent || this.signal.aborted) return;
    this.#outlet.write(bytes);
    if (!this.#outlet.isClogged) return;
    this.#report("slow-reader");
    this.drop(this.#closeReason); // a farewell would only wait behind what is not read
  }

  #report(rule: Rule, detail?: string): void {
    this.#closeReason = detail === undefined ? `${rule}: ${rules[rule]}` : `${rule}: ${rules[rule]} (${detail})`;
    const { clientId } = this.connectPacket;
    const service = this.#service?.name;
    this.#log.warn(() => `closed a connection: ${this.#closeReason}`, { service, clientId, rule });
    this.#onBreach?.(rule, service, clientId);
  }

  /** A client that dribbles bytes gains no time: CONNECT has to be complete. */
  async #awaitConnect(timeoutMs: number): Promise<void> {
    await this.#timers.sleep(timeoutMs, { signal: this.signal });
    if (this.#connect === undefined) this.breach("connect-timeout", `${timeoutMs} ms`);
  }

  async #awaitSilence(longestMs: number): Promise<void> {
    for (;;) {
      const left = this.#lastHeardMs + longestMs - this.#timers.elapsed();
      if (left <= 0) break;
      await this.#timers.sleep(left, { signal: this.signal });
    }
    this.breach("keep-alive", `${longestMs} ms`);
  }

  #end(): void {
    if (this.signal.aborted) return;
    const wasOpen = this.#open;
    this.#open = false;
    this.#ended.abort(new Error(this.#closeReason));
    if (!this.#stream.destroyed && !this.#stream.writableEnded) this.#stream.destroy();
    this.#unacknowledged.fail(new Error(this.#closeReason));
    if (wasOpen) this.#service?.closed(this, this.#tookLeave ? undefined : this.#connect?.will);
  }
}
