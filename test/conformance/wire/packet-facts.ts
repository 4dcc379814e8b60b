import type { IConnectPacket, IPublishPacket, Packet } from "mqtt-packet";

/** A packet that a client sent, in the words of the page: what it is, and what is in it by field. */
export interface PacketFacts {
  readonly name: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** What is in a packet, with what differs from run to run and from machine to machine taken out. */
export function factsOf(packet: Packet): PacketFacts {
  switch (packet.cmd) {
    case "connect":
      return { name: "CONNECT", fields: connectFields(packet) };
    case "subscribe":
      return {
        name: `SUBSCRIBE \`${packet.subscriptions.map(({ topic }) => topic).join("`, `")}\``,
        fields: { QoS: packet.subscriptions.map(({ qos }) => qos).join(", ") },
      };
    case "unsubscribe":
      return { name: `UNSUBSCRIBE \`${packet.unsubscriptions.join("`, `")}\``, fields: {} };
    case "publish":
      return { name: `PUBLISH ${publishName(packet.topic)}`, fields: publishFields(packet) };
    default:
      return { name: packet.cmd.toUpperCase(), fields: {} };
  }
}

function connectFields(packet: IConnectPacket): Record<string, string> {
  return {
    protocol: `${packet.protocolId} level ${packet.protocolVersion}`,
    "client id": packet.clientId,
    "clean session": String(packet.clean),
    "keep-alive": `${packet.keepalive} s`,
    will: packet.will === undefined ? "none" : "some",
    ...usernameFields(packet.username ?? ""),
    ...tokenFields(String(packet.password ?? "")),
  };
}

/** The query of a user name is read as fields of their own; who the client is differs by nature, how it says so need not. */
function usernameFields(username: string): Record<string, string> {
  const at = username.indexOf("api-version=");
  const pairs = username
    .slice(at)
    .split("&")
    .map((pair) => pair.split("=") as [string, string]);
  const fields = pairs.map(([name, value]) => [`user name, ${name}`, withoutMachine(value)]);
  return { "user name before its query": username.slice(0, at), ...Object.fromEntries(fields) };
}

function withoutMachine(value: string): string {
  return value
    .replace(/%2F\d+\.\d+\.\d+(-\w+)?/g, "%2F{version}")
    .replace(/%20?\(.*\)$|%20\(.*$/, "%20({Node and system})");
}

function tokenFields(password: string): Record<string, string> {
  const fields = password.replace("SharedAccessSignature ", "").split("&");
  const value = (name: string): string | undefined =>
    fields.find((field) => field.startsWith(`${name}=`))?.slice(name.length + 1);
  const lifeSeconds = Number(value("se")) - Date.now() / 1000;
  return {
    "token, fields in order": fields.map((field) => field.split("=", 1)[0]).join(" "),
    "token, sr": value("sr") ?? "absent",
    "token, skn": value("skn") ?? "absent",
    "token, life": `${Math.round(lifeSeconds / 60)} min`,
  };
}

function publishName(topic: string): string {
  if (topic.startsWith("$dps/registrations/PUT/")) return "of the registration";
  if (topic.startsWith("$dps/registrations/GET/")) return "of the poll";
  return topic.includes("/messages/events/") ? "of the telemetry" : `on \`${topic}\``;
}

function publishFields({ topic, qos, retain, payload }: IPublishPacket): Record<string, string> {
  const general = topic
    .replace(/operationId=[^&]+/, "operationId={operation id}")
    .replace(/\$rid=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, "$$rid={UUID}")
    .replace(/\$rid=[0-9a-f]{12}(?=&|$)/, "$$rid={12 hexadecimal digits}");
  return { topic: general, QoS: String(qos), retain: String(retain), payload: JSON.stringify(String(payload)) };
}
