import type { ConnackCode, Qos } from "./packets.ts";

/** CONNACK. A refusal never announces a session. [MQTT-3.2.2-4] */
export function encodeConnack(code: ConnackCode, sessionPresent: boolean): Buffer {
  return Buffer.from([0x20, 2, code === 0 && sessionPresent ? 1 : 0, code]);
}

/** What {@link encodePublish} takes. */
export interface OutgoingMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** With QoS 1 only; 1 to 65535. */
  readonly packetId?: number;
  readonly duplicate?: boolean;
}

/** PUBLISH; QoS 1 when there is a packet id, else QoS 0. */
export function encodePublish({ topic, payload, packetId, duplicate = false }: OutgoingMessage): Buffer {
  const name = Buffer.from(topic, "utf8");
  const id = packetId === undefined ? [] : [packetId >> 8, packetId & 0xff];
  const body = [Buffer.from([name.length >> 8, name.length & 0xff]), name, Buffer.from(id), payload];
  const length = body.reduce((sum, part) => sum + part.length, 0);
  const flags = (packetId === undefined ? 0 : 2) | (duplicate ? 8 : 0);
  return Buffer.concat([Buffer.from([0x30 | flags, ...remainingLength(length)]), ...body]);
}

/** PUBACK. */
export function encodePuback(packetId: number): Buffer {
  return Buffer.from([0x40, 2, packetId >> 8, packetId & 0xff]);
}

/** SUBACK, with what was granted for each filter in the order of the request. */
export function encodeSuback(packetId: number, granted: readonly Qos[]): Buffer {
  return Buffer.from([0x90, ...remainingLength(2 + granted.length), packetId >> 8, packetId & 0xff, ...granted]);
}

/** UNSUBACK. */
export function encodeUnsuback(packetId: number): Buffer {
  return Buffer.from([0xb0, 2, packetId >> 8, packetId & 0xff]);
}

/** PINGRESP. */
export function encodePingresp(): Buffer {
  return Buffer.from([0xd0, 0]);
}

function remainingLength(length: number): number[] {
  const bytes: number[] = [];
  let left = length;
  do {
    const more = left >= 128 ? 0x80 : 0;
    bytes.push((left % 128) | more);
    left = Math.floor(left / 128);
  } while (left > 0);
  return bytes;
}
