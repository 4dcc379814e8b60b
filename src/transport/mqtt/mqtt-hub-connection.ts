import { untilAborted } from "../../abort.ts";
import { LandfallError } from "../../errors.ts";
import { isJsonObject, type JsonObject } from "../../json.ts";
import { requireFits } from "../message-limits.ts";
import type { TelemetryMessage, TwinDocument } from "../messages.ts";
import { parseJson } from "../method-calls.ts";
import type { CallOptions, HubConnection, HubHandlers } from "../transport.ts";
import type { HubInbox, TwinResponse } from "./hub-inbox.ts";
import {
  desiredFilter,
  messageFilter,
  methodFilter,
  methodResponseTopic,
  reportedPatchTopic,
  telemetryTopic,
  twinGetTopic,
  twinResponseFilter,
} from "./hub-wire.ts";
import type { MqttSession } from "./mqtt-session.ts";

/** The length of a topic is written in two bytes. */
const maxTopicBytes = 65_535;

/** A live MQTT connection to a hub. */
export class MqttHubConnection implements HubConnection {
  readonly credentialExpiresAtMs?: number;
  readonly sessionPresent: boolean;
  readonly ended: Promise<Error | undefined>;
  readonly #session: MqttSession;
  readonly #inbox: HubInbox;
  readonly #deviceId: string;
  #twinSubscription: Promise<void> | undefined;

  constructor(
    session: MqttSession,
    inbox: HubInbox,
    identity: { readonly deviceId: string; readonly credentialExpiresAtMs: number | undefined },
  ) {
    this.#session = session;
    this.#inbox = inbox;
    this.#deviceId = identity.deviceId;
    this.sessionPresent = session.sessionPresent;
    this.ended = session.ended;
    if (identity.credentialExpiresAtMs !== undefined) this.credentialExpiresAtMs = identity.credentialExpiresAtMs;
    inbox.answering.resolve((requestId, { status, body }) =>
      session.publish(methodResponseTopic(status, requestId), Buffer.from(body), 0),
    );
  }

  /** Subscribes to what the handlers want to hear, in one packet. A hub allows five subscriptions. */
  async subscribe(handlers: HubHandlers, options: CallOptions): Promise<void> {
    const filters = [
      ...(handlers.onMessage ? [messageFilter(this.#deviceId)] : []),
      ...(handlers.onMethod ? [methodFilter] : []),
      // Who follows the desired properties will also ask for the whole twin.
      ...(handlers.onDesired ? [desiredFilter, twinResponseFilter] : []),
    ];
    if (filters.length === 0) return;
    await this.#session.subscribe(filters, options);
    if (handlers.onDesired) this.#twinSubscription = Promise.resolve();
  }

  async sendTelemetry(message: TelemetryMessage, options: CallOptions = {}): Promise<void> {
    requireFits(message);
    const topic = telemetryTopic(this.#deviceId, message);
    const topicBytes = Buffer.byteLength(topic);
    if (topicBytes > maxTopicBytes) {
      const found = `the properties of a message make a topic of ${topicBytes} bytes`;
      throw new LandfallError("transport.message-too-large", `${found}; MQTT can carry ${maxTopicBytes}`);
    }
    await this.#session.publish(topic, message.payload, 1, options);
  }

  async getTwin(options: CallOptions = {}): Promise<TwinDocument> {
    const response = await this.#requestTwin("a twin request", twinGetTopic, "", options);
    if (response.status !== 200) throw twinRejection("the twin", response);
    const twin = parseJson(response.payload);
    if (isJsonObject(twin) && isJsonObject(twin.desired) && isJsonObject(twin.reported)) {
      return { desired: twin.desired, reported: twin.reported };
    }
    throw new LandfallError(
      "transport.protocol",
      "expected a twin with desired and reported properties, got something else",
    );
  }

  async patchReported(patch: JsonObject, options: CallOptions = {}): Promise<number> {
    const body = JSON.stringify(patch);
    const response = await this.#requestTwin("a change of reported properties", reportedPatchTopic, body, options);
    if (response.status < 200 || response.status > 299)
      throw twinRejection("a change of reported properties", response);
    if (response.version !== undefined) return response.version;
    throw new LandfallError("transport.protocol", "expected the version of the reported properties, got none");
  }

  async close(): Promise<void> {
    await Promise.race([this.#inbox.drain(), this.ended]);
    await this.#session.close();
  }

  destroy(reason?: Error): void {
    this.#session.destroy(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #requestTwin(
    what: string,
    topicFor: (requestId: string) => string,
    body: string,
    options: CallOptions,
  ): Promise<TwinResponse> {
    await this.#subscribeToTwin(options);
    return this.#inbox.twinRequests.send(this.#session, what, topicFor, body, options);
  }

  async #subscribeToTwin(options: CallOptions): Promise<void> {
    if (this.#twinSubscription === undefined) {
      const subscription = this.#session.subscribe([twinResponseFilter]);
      subscription.catch(() => {
        this.#twinSubscription = undefined;
      });
      this.#twinSubscription = subscription;
    }
    await untilAborted(this.#twinSubscription, options.signal);
  }
}

/** Worth another try for 429 and 5xx; a fault of the request for every other status. */
function twinRejection(what: string, { status, payload }: TwinResponse): LandfallError {
  const body = parseJson(payload);
  const { errorCode, message, trackingId } = isJsonObject(body) ? body : {};
  const service = {
    status,
    ...(typeof errorCode === "number" ? { errorCode } : {}),
    ...(typeof message === "string" ? { message } : {}),
    ...(typeof trackingId === "string" ? { trackingId } : {}),
  };
  const code = status === 429 || status >= 500 ? "transport.unavailable" : "hub.twin-rejected";
  const said = service.message === undefined ? "" : `: ${service.message}`;
  return new LandfallError(code, `the hub refused ${what} with ${status}${said}`, { service });
}
