import { LandfallError } from "../../errors.ts";
import type { Credential, SasRequest } from "../../keys/credential.ts";
import { type Logger, silentLogger } from "../../log.ts";
import { version } from "../../version.ts";
import type { CallOptions, Route, TransportAbilities } from "../transport.ts";
import { carriers } from "./carrier.ts";
import { loadMqtt } from "./mqtt-library.ts";
import { MqttSession, type Publication } from "./mqtt-session.ts";
import type { MqttTransportOptions } from "./options.ts";

/** MQTT presents a credential in CONNECT and has no room for a challenge. */
export const mqttAbilities: TransportAbilities = { credentials: ["certificate", "sas"], challenge: false };

/** Who connects, and how. */
export interface MqttIdentity {
  readonly clientId: string;
  readonly username: string;
  readonly cleanSession: boolean;
  readonly credential: Credential | undefined;
  /** What a token is made for, if the credential makes tokens. */
  readonly tokenFor: Pick<SasRequest, "resource" | "keyName">;
}

/** A session, and when the credential that opened it expires. */
export interface OpenedSession {
  readonly session: MqttSession;
  /** Milliseconds since the epoch; absent for certificates. */
  readonly credentialExpiresAtMs: number | undefined;
}

/** Opens MQTT sessions for both services: token, path, CONNECT. */
export class MqttConnector {
  /** The configuration's name for the transport. */
  readonly name: "mqtt" | "mqtt-ws";
  readonly clientName: string;
  readonly log: Logger;
  readonly #options: MqttTransportOptions;

  constructor(options: MqttTransportOptions) {
    this.#options = options;
    this.name = options.carrier === "websocket" ? "mqtt-ws" : "mqtt";
    this.clientName = options.clientName ?? `landfall/${version}`;
    this.log = options.log ?? silentLogger;
  }

  /** Rejects with `endpoint.*`, `key.*` or `transport.*`, or with `signal.reason`; nothing stays open then. */
  async open(
    route: Route,
    identity: MqttIdentity,
    onPublication: (publication: Publication) => Promise<void> | undefined,
    { signal }: CallOptions = {},
  ): Promise<OpenedSession> {
    signal?.throwIfAborted();
    const { dialer, clock, carrier = "tcp" } = this.#options;
    const { keepAliveSeconds = 240, tokenLifetimeMs = 3_600_000, requestTimeoutMs = 30_000 } = this.#options;
    const { credential, tokenFor, ...who } = identity;
    if (credential === undefined) {
      throw new LandfallError("attestation.unsupported-pair", `${this.name} needs a credential to connect with`);
    }
    const token =
      credential.kind === "sas"
        ? await credential.token({ ...tokenFor, expiresAtMs: clock.now() + tokenLifetimeMs }, { signal })
        : undefined;
    const tlsIdentity = credential.kind === "certificate" ? credential.identity : undefined;

    // Loading takes about as long as dialling, so both go on at once.
    const loading = loadMqtt();
    const stream = await carriers[carrier](route, { dialer, identity: tlsIdentity, clock, requestTimeoutMs, signal });
    const session = await MqttSession.connect(
      await loading,
      stream,
      {
        ...who,
        host: route.host,
        password: token?.text,
        keepAliveSeconds,
        requestTimeoutMs,
        clock,
        log: this.log,
        onPublication,
      },
      { signal },
    );
    return { session, credentialExpiresAtMs: token?.expiresAtMs };
  }
}
