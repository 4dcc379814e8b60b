import type { Packet } from "mqtt";
import { type MqttPacketTrace, mqttPackets } from "../../diagnostics.ts";

/** Tells whoever listens about one packet; costs nothing when nobody does. */
export function tracePacket(direction: MqttPacketTrace["direction"], host: string, packet: Packet): void {
  if (mqttPackets.hasSubscribers) mqttPackets.publish({ direction, host, cmd: packet.cmd, ...factsOf(packet) });
}

/** Picks what may be seen, so that a field that nobody thought of stays unseen. */
function factsOf(packet: Packet): Partial<MqttPacketTrace> {
  switch (packet.cmd) {
    case "publish":
      return {
        topic: withoutProperties(packet.topic),
        topicBytes: Buffer.byteLength(packet.topic),
        payloadBytes: Buffer.byteLength(packet.payload),
        qos: packet.qos,
        dup: packet.dup,
        ...(packet.qos > 0 && packet.messageId !== undefined ? { packetId: packet.messageId } : {}),
      };
    case "subscribe":
      return { topics: packet.subscriptions.map(({ topic }) => topic), ...idOf(packet) };
    case "connack":
      return packet.returnCode === undefined ? {} : { returnCode: packet.returnCode };
    default:
      return idOf(packet);
  }
}

function idOf({ messageId }: Packet): Partial<MqttPacketTrace> {
  return messageId === undefined ? {} : { packetId: messageId };
}

/** The properties of a message are its sender's business. */
function withoutProperties(topic: string): string {
  return topic.replace(/^(devices\/[^/]+\/messages\/[^/]+\/).+$/s, "$1…");
}
