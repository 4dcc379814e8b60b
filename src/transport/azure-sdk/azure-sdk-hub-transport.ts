import { type Clock, systemClock } from "../../clock.ts";
import { type Logger, silentLogger } from "../../log.ts";
import type {
  CallOptions,
  HubConnection,
  HubHandlers,
  HubIdentity,
  HubTransport,
  Route,
  TransportAbilities,
} from "../transport.ts";
import { proofOf, SdkAuthenticationProvider } from "./sdk-credential.ts";
import { SdkHubConnection } from "./sdk-hub-connection.ts";
import { loadClass } from "./sdk-loading.ts";
import { type LibraryLookup, requireVettedAddresses, sdkHost, systemAddresses } from "./sdk-route.ts";
import type { SdkHubTransportClass } from "./sdk-shapes.ts";

/** What an {@link AzureSdkHubTransport} takes. */
export interface AzureSdkHubTransportOptions {
  /**
   * Gives the class `Mqtt` or `MqttWs` of the package `azure-iot-device-mqtt`; called at the first connect, so that the
   * package is loaded when it is needed.
   */
  readonly load: () => SdkHubTransportClass | Promise<SdkHubTransportClass>;
  /** Name in logs and messages. Default `azure-sdk`. */
  readonly name?: string;
  /**
   * Whether the class puts the host into a URL as it is, so that a route may have a port of its own. `Mqtt` does; `MqttWs`
   * has its port fixed. Default false.
   */
  readonly portInHost?: boolean;
  /** How the library's own look-up is foreseen. Default: the system's resolver, which is what the library asks. */
  readonly lookup?: LibraryLookup;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: silent. */
  readonly log?: Logger;
  /** Life of a token in milliseconds. Default one hour. */
  readonly tokenLifetimeMs?: number;
  /** Milliseconds until an unanswered request rejects with `transport.timeout`. Default 30 000. */
  readonly requestTimeoutMs?: number;
}

/**
 * IoT Hub over a transport of Microsoft's device library for Node. Its retries and its token renewal stay out: a session of
 * landfall opens another connection. It dials by itself, as {@link AzureSdkDpsTransport} does.
 *
 * The library acknowledges a cloud-to-device message before anybody has handled it, does not tell the status of a refused
 * twin operation, and drops a connection only in an orderly way.
 */
export class AzureSdkHubTransport implements HubTransport {
  readonly name: string;
  readonly abilities: TransportAbilities = { credentials: ["certificate", "sas"], challenge: false };
  readonly #options: AzureSdkHubTransportOptions;

  constructor(options: AzureSdkHubTransportOptions) {
    this.#options = options;
    this.name = options.name ?? "azure-sdk";
  }

  async connect(
    route: Route,
    identity: HubIdentity,
    handlers: HubHandlers,
    { signal }: CallOptions = {},
  ): Promise<HubConnection> {
    signal?.throwIfAborted();
    const { load, clock = systemClock, log = silentLogger, portInHost = false } = this.#options;
    const { tokenLifetimeMs: lifetimeMs = 3_600_000, requestTimeoutMs = 30_000 } = this.#options;
    const { lookup = systemAddresses } = this.#options;
    sdkHost(route, this.name, portInHost);
    await requireVettedAddresses(route, this.name, lookup, { signal });
    const { deviceId, credential, modelId } = identity;
    const Transport = await loadClass(this.name, load, signal);
    const proof = await proofOf(
      credential,
      { resource: `${route.host}/devices/${deviceId}` },
      { clock, lifetimeMs, signal },
    );
    const transport = new Transport(new SdkAuthenticationProvider(route, identity, proof) as never);
    const connection = new SdkHubConnection(transport, handlers, {
      host: route.host,
      credentialExpiresAtMs: proof.kind === "token" ? proof.expiresAtMs : undefined,
      clock,
      log,
      requestTimeoutMs,
    });
    try {
      await connection.open(modelId === undefined ? {} : { modelId }, { signal });
    } catch (error) {
      connection.destroy(error as Error);
      throw error;
    }
    return connection;
  }
}
