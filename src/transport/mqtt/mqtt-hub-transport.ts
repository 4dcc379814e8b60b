import type {
  CallOptions,
  HubConnection,
  HubHandlers,
  HubIdentity,
  HubTransport,
  Route,
  TransportAbilities,
} from "../transport.ts";
import { HubInbox } from "./hub-inbox.ts";
import { hubResource, hubUsername } from "./hub-wire.ts";
import { MqttConnector, mqttAbilities } from "./mqtt-connector.ts";
import { MqttHubConnection } from "./mqtt-hub-connection.ts";
import type { MqttTransportOptions } from "./options.ts";

/** IoT Hub over MQTT, on TCP or WebSocket. */
export class MqttHubTransport implements HubTransport {
  readonly name: string;
  readonly abilities: TransportAbilities = mqttAbilities;
  readonly #connector: MqttConnector;

  constructor(options: MqttTransportOptions) {
    this.#connector = new MqttConnector(options);
    this.name = this.#connector.name;
  }

  async connect(
    route: Route,
    identity: HubIdentity,
    handlers: HubHandlers,
    options: CallOptions = {},
  ): Promise<HubConnection> {
    const { deviceId, credential, modelId } = identity;
    const { clientName, log } = this.#connector;
    // A kept session may deliver before we have subscribed, so the handlers are in place before CONNECT.
    const inbox = new HubInbox(handlers, log);
    const { session, credentialExpiresAtMs } = await this.#connector.open(
      route,
      {
        clientId: deviceId,
        username: hubUsername(route.host, deviceId, clientName, modelId),
        cleanSession: false, // what is sent to the device while it is away waits for it
        credential,
        tokenFor: { resource: hubResource(route.host, deviceId) },
      },
      (publication) => inbox.take(publication),
      options,
    );
    const connection = new MqttHubConnection(session, inbox, { deviceId, credentialExpiresAtMs });
    try {
      await connection.subscribe(handlers, options);
    } catch (error) {
      connection.destroy();
      throw error;
    }
    return connection;
  }
}
