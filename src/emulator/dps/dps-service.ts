import type { Logger } from "../../log.ts";
import type { EventLog } from "../event-log.ts";
import type { DeviceLink } from "../mqtt/device-link.ts";
import { type ConnackCode, type ConnectPacket, connackCodes, type PublishPacket, type Qos } from "../mqtt/packets.ts";
import type { ConnectAnswer, MqttService } from "../mqtt/service.ts";
import { parseTopicQuery, requestIdOf } from "../property-bag.ts";
import type { ServiceModes } from "../service-modes.ts";
import { parseDpsUsername } from "./dps-username.ts";
import type { DpsFaults } from "./faults.ts";
import type { RegistrationDesk } from "./registration-desk.ts";
import type { Requester } from "./verdict.ts";

/** What a {@link DpsService} works with. */
export interface DpsServiceParts {
  readonly desk: RegistrationDesk;
  readonly faults: DpsFaults;
  readonly modes: ServiceModes;
  readonly events: EventLog;
  readonly log: Logger;
}

const answersFilter = "$dps/registrations/res/#";
const registerPath = "$dps/registrations/PUT/iotdps-register/";
const pollPath = "$dps/registrations/GET/iotdps-get-operationstatus/";

/** Largest body of a request. */
const maxRequestBytes = 98_304;

interface Client {
  readonly requester: Requester;
  listening: boolean;
}

interface Request {
  readonly step: "register" | "poll";
  /** As the client wrote it; it comes back letter by letter. */
  readonly requestId: string;
  readonly operationId: string;
}

/**
 * DPS over MQTT. A client is let in whatever its credential is worth: that shows in the answer to its registration.
 * Nothing outlives a connection, whatever CleanSession says.
 */
export class DpsService implements MqttService {
  readonly name = "dps";
  readonly #parts: DpsServiceParts;
  readonly #clients = new WeakMap<DeviceLink, Client>();

  constructor(parts: DpsServiceParts) {
    this.#parts = parts;
  }

  connect(link: DeviceLink, packet: ConnectPacket): ConnectAnswer {
    const { modes, faults } = this.#parts;
    modes.watch(link);
    if (modes.refusalCode !== undefined) return this.#refuse(packet, modes.refusalCode, "DPS turns clients away");
    const username = parseDpsUsername(packet.username ?? "");
    if (username === undefined)
      return this.#refuse(packet, connackCodes.notAuthorized, "not the user name of a device");
    const { idScope, registrationId } = username;
    if (packet.clientId.toLowerCase() !== registrationId.toLowerCase()) {
      return this.#refuse(packet, connackCodes.identifierRejected, "the client id is not the registration id");
    }
    const sasToken = packet.password?.toString("utf8");
    const { transport, certificates } = link.peer;
    const requester = { idScope, registrationId, transport, sasToken, certificates };
    this.#clients.set(link, { requester, listening: false });
    const fault = faults.take(registrationId, "connect");
    if (fault === "silence") link.silent = true;
    else if (fault === "drop") link.drop();
    else if (typeof fault === "object" && "connack" in fault) return this.#refuse(packet, fault.connack, "as scripted");
    return { code: connackCodes.accepted };
  }

  opened(link: DeviceLink): void {
    const client = this.#clients.get(link);
    if (client === undefined) return;
    const { registrationId, sasToken, certificates } = client.requester;
    const { cleanSession, keepAliveSeconds } = link.connectPacket;
    const { transport, remoteAddress } = link.peer;
    const credential = sasToken !== undefined ? "sas" : certificates.length > 0 ? "certificate" : "none";
    const facts = { transport, remoteAddress, credential, cleanSession, keepAliveSeconds } as const;
    this.#parts.events.add("dps.connected", { registrationId, ...facts });
  }

  subscribe(link: DeviceLink, filter: string, qos: Qos): Qos | undefined {
    const client = this.#clients.get(link);
    if (filter !== answersFilter || client === undefined) {
      link.breach("unknown-filter", filter);
      return undefined;
    }
    client.listening = true;
    return qos === 0 ? 0 : 1;
  }

  subscribed(): void {}

  unsubscribe(link: DeviceLink, filter: string): void {
    const client = this.#clients.get(link);
    if (filter === answersFilter && client !== undefined) client.listening = false;
  }

  publish(link: DeviceLink, packet: PublishPacket): void {
    const client = this.#clients.get(link);
    if (client === undefined) return;
    const request = parseRequest(packet.topic);
    if (request === undefined) link.breach("unknown-topic", packet.topic);
    else if (request.requestId === "") link.breach("missing-request-id", packet.topic);
    else if (packet.payload.length > maxRequestBytes) {
      link.breach("message-too-large", `${packet.payload.length} bytes, at most ${maxRequestBytes}`);
    } else this.#serve(link, client, request, packet.payload.toString("utf8"));
  }

  closed(link: DeviceLink): void {
    const { clientId } = link.connectPacket;
    this.#parts.events.add("dps.disconnected", { registrationId: clientId, reason: link.closeReason });
  }

  #serve(link: DeviceLink, { requester, listening }: Client, request: Request, bodyText: string): void {
    const { requestId, ...rest } = request;
    const outcome = this.#parts.desk.serve({ requester, bodyText, ...rest });
    if (outcome.kind === "drop") link.drop();
    if (outcome.kind !== "answer" || !listening) return;
    const { status, retryAfterSeconds, body } = outcome.answer;
    const returned = outcome.wrongRequestId ? `${requestId}-other` : requestId;
    const retryAfter = retryAfterSeconds === undefined ? "" : `&retry-after=${retryAfterSeconds}`;
    link.send(`$dps/registrations/res/${status}/?$rid=${returned}${retryAfter}`, body);
  }

  #refuse({ clientId }: ConnectPacket, code: ConnackCode, reason: string): ConnectAnswer {
    this.#parts.events.add("dps.refused", { clientId, code, reason });
    this.#parts.log.warn(() => `refused ${clientId} with CONNACK ${code}: ${reason}`);
    return { code };
  }
}

function parseRequest(topic: string): Request | undefined {
  const [path] = topic.split("?", 1);
  const step = path === registerPath ? "register" : path === pollPath ? "poll" : undefined;
  if (step === undefined) return undefined;
  const operationId = parseTopicQuery(topic).get("operationId") ?? "";
  return { step, requestId: requestIdOf(topic) ?? "", operationId };
}
