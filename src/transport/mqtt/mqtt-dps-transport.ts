import { LandfallError } from "../../errors.ts";
import type {
  CallOptions,
  DpsChannel,
  DpsIdentity,
  DpsRequest,
  DpsResponse,
  DpsTransport,
  Route,
  TransportAbilities,
} from "../transport.ts";
import { dpsRequestTopic, dpsResource, dpsResponseFilter, dpsUsername, parseDpsResponseTopic } from "./dps-wire.ts";
import { MqttConnector, mqttAbilities } from "./mqtt-connector.ts";
import { MqttRequests } from "./mqtt-requests.ts";
import type { MqttSession, Publication } from "./mqtt-session.ts";
import type { MqttTransportOptions } from "./options.ts";

/** DPS over MQTT, on TCP or WebSocket. */
export class MqttDpsTransport implements DpsTransport {
  readonly name: string;
  readonly abilities: TransportAbilities = mqttAbilities;
  readonly #connector: MqttConnector;

  constructor(options: MqttTransportOptions) {
    this.#connector = new MqttConnector(options);
    this.name = this.#connector.name;
  }

  async connect(route: Route, identity: DpsIdentity, options: CallOptions = {}): Promise<DpsChannel> {
    const { idScope, registrationId, credential } = identity;
    const { clientName, log } = this.#connector;
    const answers = new DpsAnswers(log);
    const { session } = await this.#connector.open(
      route,
      {
        clientId: registrationId,
        username: dpsUsername(idScope, registrationId, clientName),
        cleanSession: true, // DPS keeps no session in any case
        credential,
        tokenFor: { resource: dpsResource(idScope, registrationId), keyName: "registration" },
      },
      (publication) => answers.take(publication),
      options,
    );
    try {
      await session.subscribe([dpsResponseFilter], options);
    } catch (error) {
      session.destroy();
      throw error;
    }
    return new MqttDpsChannel(session, answers);
  }
}

/** The answers that arrive on one channel. */
class DpsAnswers extends MqttRequests<DpsResponse> {
  take({ topic, payload }: Publication): undefined {
    const parsed = parseDpsResponseTopic(topic);
    if (parsed) {
      const { requestId, ...response } = parsed;
      this.answer(requestId, { ...response, body: Buffer.from(payload).toString("utf8") });
    } else {
      this.rejectAll(
        new LandfallError("transport.protocol", `expected an answer of DPS, got a publication on ${topic}`),
      );
    }
  }
}

class MqttDpsChannel implements DpsChannel {
  readonly #session: MqttSession;
  readonly #answers: DpsAnswers;

  constructor(session: MqttSession, answers: DpsAnswers) {
    this.#session = session;
    this.#answers = answers;
  }

  async request(request: DpsRequest, options: CallOptions = {}): Promise<DpsResponse> {
    const body = request.kind === "register" ? JSON.stringify(request.body) : "";
    const topicFor = (requestId: string): string => dpsRequestTopic(request, requestId);
    return this.#answers.send(this.#session, `a ${request.kind} request`, topicFor, body, options);
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
