import { FieldReader, MalformedPacket } from "./field-reader.ts";
import type { Frame } from "./frames.ts";
import type { ClientPacket, ConnectPacket, PublishPacket, Qos, SubscriptionRequest, Will } from "./packets.ts";

type Decoder = (fields: FieldReader, flags: number) => ClientPacket;

/** Decoders of the packets that a client may send, with the flags that each must carry (PUBLISH has flags of its own). */
const decoders: Readonly<Record<number, { readonly flags?: number; readonly decode: Decoder }>> = {
  1: { flags: 0, decode: decodeConnect },
  3: { decode: decodePublish },
  4: { flags: 0, decode: (fields) => ({ type: "puback", packetId: fields.packetId() }) },
  5: { flags: 0, decode: (fields) => ({ type: "pubrec", packetId: fields.packetId() }) },
  6: { flags: 2, decode: (fields) => ({ type: "pubrel", packetId: fields.packetId() }) },
  7: { flags: 0, decode: (fields) => ({ type: "pubcomp", packetId: fields.packetId() }) },
  8: { flags: 2, decode: decodeSubscribe },
  10: { flags: 2, decode: decodeUnsubscribe },
  12: { flags: 0, decode: () => ({ type: "pingreq" }) },
  14: { flags: 0, decode: () => ({ type: "disconnect" }) },
};

/** The packet that a client sent, or what is wrong with it. Strict: MQTT 3.1.1 lets a server close on any violation. */
export function decodePacket(frame: Frame): ClientPacket | { readonly type: "malformed"; readonly why: string } {
  const decoder = decoders[frame.type];
  try {
    if (decoder === undefined) throw new MalformedPacket(`a client never sends packet type ${frame.type}`);
    if (decoder.flags !== undefined && decoder.flags !== frame.flags) {
      throw new MalformedPacket(`packet type ${frame.type} with flags ${frame.flags}`); // [MQTT-2.2.2-2]
    }
    const fields = new FieldReader(frame.body);
    const packet = decoder.decode(fields, frame.flags);
    fields.end();
    return packet;
  } catch (error) {
    if (error instanceof MalformedPacket) return { type: "malformed", why: error.message };
    throw error;
  }
}

function decodeConnect(fields: FieldReader): ConnectPacket {
  const [protocolName, protocolLevel] = [fields.text(), fields.byte()];
  if (protocolName !== "MQTT" || protocolLevel !== 4) {
    // Another version lays the rest out in another way; the answer to it needs no more.
    fields.rest();
    const empty = { cleanSession: true, keepAliveSeconds: 0, clientId: "" };
    return { type: "connect", protocolName, protocolLevel, ...empty };
  }
  const flags = fields.byte();
  const has = (bit: number): boolean => (flags & bit) !== 0;
  if (has(0x01)) throw new MalformedPacket("CONNECT with its reserved flag set"); // [MQTT-3.1.2-3]
  if (!has(0x80) && has(0x40)) throw new MalformedPacket("a password without a user name"); // [MQTT-3.1.2-22]
  const keepAliveSeconds = fields.uint16();
  const clientId = fields.text();
  const will = decodeWill(fields, flags);
  return {
    type: "connect",
    protocolName,
    protocolLevel,
    cleanSession: has(0x02),
    keepAliveSeconds,
    clientId,
    ...(will === undefined ? {} : { will }),
    ...(has(0x80) ? { username: fields.text() } : {}),
    ...(has(0x40) ? { password: fields.binary() } : {}),
  };
}

function decodeWill(fields: FieldReader, flags: number): Will | undefined {
  const [qos, retain] = [qosOf((flags >> 3) & 3), (flags & 0x20) !== 0];
  if ((flags & 0x04) === 0) {
    if (qos !== 0 || retain) throw new MalformedPacket("will flags without a will"); // [MQTT-3.1.2-13]
    return undefined;
  }
  return { topic: topicName(fields.text()), payload: fields.binary(), qos, retain };
}

function decodePublish(fields: FieldReader, flags: number): PublishPacket {
  const [qos, retain, duplicate] = [qosOf((flags >> 1) & 3), (flags & 1) !== 0, (flags & 8) !== 0];
  if (duplicate && qos === 0) throw new MalformedPacket("a duplicate with QoS 0"); // [MQTT-3.3.1-2]
  const topic = topicName(fields.text());
  const id = qos === 0 ? {} : { packetId: fields.packetId() };
  return { type: "publish", topic, qos, retain, duplicate, ...id, payload: fields.rest() };
}

function decodeSubscribe(fields: FieldReader): ClientPacket {
  const packetId = fields.packetId();
  const subscriptions: SubscriptionRequest[] = [];
  do {
    subscriptions.push({ filter: topicFilter(fields.text()), qos: qosOf(fields.byte()) });
  } while (fields.left > 0);
  return { type: "subscribe", packetId, subscriptions };
}

function decodeUnsubscribe(fields: FieldReader): ClientPacket {
  const packetId = fields.packetId();
  const filters: string[] = [];
  do {
    filters.push(topicFilter(fields.text()));
  } while (fields.left > 0);
  return { type: "unsubscribe", packetId, filters };
}

function qosOf(value: number): Qos {
  if (value === 0 || value === 1 || value === 2) return value;
  throw new MalformedPacket(`QoS ${value}`); // [MQTT-3.3.1-4] [MQTT-3.8.3-4]
}

/** A name that messages are published to: not empty, no wildcards. [MQTT-3.3.2-2] [MQTT-4.7.3-1] */
function topicName(topic: string): string {
  if (topic === "" || /[+#]/.test(topic)) throw new MalformedPacket("a topic name that is empty or has a wildcard");
  return topic;
}

/** `#` only as the last level, `+` only as a whole level. [MQTT-4.7.1-2] [MQTT-4.7.1-3] */
function topicFilter(filter: string): string {
  const levels = filter.split("/");
  const valid = levels.every((level, index) =>
    level.includes("#") ? level === "#" && index === levels.length - 1 : level === "+" || !level.includes("+"),
  );
  if (filter === "" || !valid) throw new MalformedPacket("a topic filter with a misplaced wildcard");
  return filter;
}
