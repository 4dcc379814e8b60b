import { channel } from "node:diagnostics_channel";
import { debuglog } from "node:util";

/** One MQTT packet on the wire. It holds no password, no body and no message properties, only their sizes. */
export interface MqttPacketTrace {
  readonly direction: "sent" | "received";
  /** The host that the connection was verified for. */
  readonly host: string;
  /** The packet's type in lower case: `connect`, `publish` … */
  readonly cmd: string;
  /** Of a publication; the properties of a message are cut off. */
  readonly topic?: string;
  /** Of a subscription. */
  readonly topics?: readonly string[];
  readonly packetId?: number;
  /** 0 to 2; of a publication. */
  readonly qos?: number;
  /** Whether a publication is a repetition. */
  readonly dup?: boolean;
  /** Of a publication's body. */
  readonly payloadBytes?: number;
  /** Of a publication's whole topic, properties included. */
  readonly topicBytes?: number;
  /** Of a CONNACK: 0 when accepted. */
  readonly returnCode?: number;
}

/** One SMP packet on a serial port. It holds nothing of the body, only its size. */
export interface SmpPacketTrace {
  readonly direction: "sent" | "received";
  /** Name of the port. */
  readonly port: string;
  /** `read`, `read-response`, `write` or `write-response`. */
  readonly operation: string;
  readonly group: number;
  readonly command: number;
  readonly sequence: number;
  readonly bodyBytes: number;
}

/** The names that `node:diagnostics_channel` knows our channels by; each line tells the type of its messages. */
export const channelNames = {
  /** {@link MqttPacketTrace} */
  mqttPacket: "landfall:mqtt:packet",
  /** {@link SmpPacketTrace} */
  smpPacket: "landfall:smp:packet",
} as const;

/** Every MQTT packet, while it goes out or comes in. With `NODE_DEBUG=landfall` each is also a line on stderr. */
export const mqttPackets = channel(channelNames.mqttPacket);

/** Every SMP packet, while it goes out or comes in; with `NODE_DEBUG=landfall` a line as well. */
export const smpPackets = channel(channelNames.smpPacket);

const debug = debuglog("landfall");
if (debug.enabled) {
  mqttPackets.subscribe((message) => {
    const { direction, host, ...facts } = message as MqttPacketTrace;
    debug("%s %s %s", host, direction === "sent" ? ">" : "<", JSON.stringify(facts));
  });
  smpPackets.subscribe((message) => {
    const { direction, port, ...facts } = message as SmpPacketTrace;
    debug("%s %s %s", port, direction === "sent" ? ">" : "<", JSON.stringify(facts));
  });
}
