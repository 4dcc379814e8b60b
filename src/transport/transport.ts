import type { JsonObject } from "../json.ts";
import type { Credential } from "../keys/credential.ts";
import type {
  CloudMessage,
  DesiredPatch,
  MethodRequest,
  MethodResponse,
  TelemetryMessage,
  TwinDocument,
} from "./messages.ts";

/** Options that every waiting call takes last. */
export interface CallOptions {
  /** Aborting rejects the call with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** What a transport can carry; an agent refuses an impossible pair when it is built, not on the wire. */
export interface TransportAbilities {
  readonly credentials: readonly Credential["kind"][];
  /** Whether a first request without credential, answered by a challenge, can be made (TPM attestation: HTTPS only). */
  readonly challenge: boolean;
}

/** Where a transport shall go. The dialer it was made with decides how to get there. */
export interface Route {
  /** The name to verify, and the host part of MQTT usernames. */
  readonly host: string;
  /** Default: the standard port of the transport. */
  readonly port?: number;
  /** Vetted addresses; absent means not pinned. */
  readonly addresses?: readonly string[];
  /** `never`: no proxy may carry the connection, not even where the transport would let one. */
  readonly proxy?: "never";
}

/* ---------------------------------------------- Device Provisioning Service --------------------------------------- */

/** Who asks, for a DPS connection. */
export interface DpsIdentity {
  readonly idScope: string;
  readonly registrationId: string;
  /** Absent only for the first request of an attestation with challenge. */
  readonly credential?: Credential | undefined;
}

/** One request to DPS. */
export type DpsRequest =
  | { readonly kind: "register"; readonly body: JsonObject }
  | { readonly kind: "status"; readonly operationId: string };

/** The answer of DPS, whatever carried it. */
export interface DpsResponse {
  /** HTTP-class status; MQTT has it in the response topic. */
  readonly status: number;
  /** From `retry-after`; absent when the service did not say. */
  readonly retryAfterMs?: number;
  /** The body as text, not yet judged. */
  readonly body: string;
}

/** Opens connections to DPS. It takes a credential and moves requests; it knows no attestation. */
export interface DpsTransport {
  /** The configuration's name for it: `mqtt`, `mqtt-ws`, `https` … */
  readonly name: string;
  readonly abilities: TransportAbilities;
  /**
   * Opens a channel for one identity.
   * Rejects with `transport.*`, `endpoint.*` or `key.*` errors; nothing stays open then.
   */
  connect(route: Route, identity: DpsIdentity, options?: CallOptions): Promise<DpsChannel>;
}

/** One connection to DPS, for one identity. */
export interface DpsChannel extends AsyncDisposable {
  /**
   * Sends one request and waits for its answer. One at a time.
   * Every status is an answer, also 401 and 500. Rejects when there is none: `transport.closed`, `transport.timeout`,
   * `transport.protocol`; the channel is of no more use then.
   */
  request(request: DpsRequest, options?: CallOptions): Promise<DpsResponse>;
  /** Closes in an orderly way; a request still waiting rejects with `transport.closed`. Idempotent. */
  close(): Promise<void>;
}

/* --------------------------------------------------------- IoT Hub ------------------------------------------------ */

/** Who connects to a hub. */
export interface HubIdentity {
  readonly deviceId: string;
  readonly credential: Credential;
  /** Plug and Play model id (`dtmi:…`), announced at connect. */
  readonly modelId?: string | undefined;
}

/** What a hub session wants to hear. A part that is absent is not subscribed to. */
export interface HubHandlers {
  /** The service's copy is deleted once the promise resolves; a rejection leaves it to be delivered again. */
  readonly onMessage?: (message: CloudMessage) => Promise<void>;
  /** Called for every direct method; the answer goes out when the promise resolves. Must not reject. */
  readonly onMethod?: (request: MethodRequest) => Promise<MethodResponse>;
  readonly onDesired?: (patch: DesiredPatch) => void;
}

/** Opens sessions with an IoT hub. */
export interface HubTransport {
  readonly name: string;
  readonly abilities: TransportAbilities;
  /**
   * Connects and subscribes. Resolves when the hub has accepted both.
   * Rejects with `transport.*`, `endpoint.*` or `key.*` errors; nothing stays open then.
   */
  connect(route: Route, identity: HubIdentity, handlers: HubHandlers, options?: CallOptions): Promise<HubConnection>;
}

/** One live connection to a hub. It does not reconnect: `hub/` does that, by opening another. */
export interface HubConnection extends AsyncDisposable {
  /** When the credential of this connection expires, milliseconds since the epoch; absent for certificates. */
  readonly credentialExpiresAtMs?: number;
  /** Whether the hub kept the session of an earlier connection. */
  readonly sessionPresent: boolean;
  /**
   * Resolves when the connection has ended: with the reason, or with `undefined` after {@link close}. Never rejects.
   * `transport.closed` without a cause says that the peer closed in an orderly way, with a cause that the network failed:
   * the session tells a hub that throws it out from a bad line by this.
   */
  readonly ended: Promise<Error | undefined>;
  /** Resolves once the hub has acknowledged. Rejects with `transport.message-too-large` or `transport.closed`. */
  sendTelemetry(message: TelemetryMessage, options?: CallOptions): Promise<void>;
  /** The whole twin. Rejects with `transport.unavailable` for 429 and 5xx, with `hub.twin-rejected` for any other refusal. */
  getTwin(options?: CallOptions): Promise<TwinDocument>;
  /** Merges into the reported properties (`null` deletes) and resolves with the new reported version. Rejects as {@link getTwin}. */
  patchReported(patch: JsonObject, options?: CallOptions): Promise<number>;
  /** DISCONNECT after what is under way has gone out; everything still waiting rejects with `transport.closed`. Idempotent. */
  close(): Promise<void>;
  /** Drops the connection at once, as a broken network would. */
  destroy(reason?: Error): void;
}
