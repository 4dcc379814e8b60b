import type { JsonObject, JsonValue } from "../json.ts";
import type { MessageStatus } from "./hub/feedback.ts";
import type { Rule } from "./mqtt/rules.ts";

/** How a client proved itself, or tried to. */
export type CredentialKind = "sas" | "certificate" | "none";

/** What a client came over. */
export type ClientTransport = "mqtt" | "mqtt-ws" | "https";

interface ConnectionFacts {
  readonly transport: Exclude<ClientTransport, "https">;
  readonly credential: CredentialKind;
  readonly remoteAddress: string;
  readonly cleanSession: boolean;
  readonly keepAliveSeconds: number;
}

interface RequestFacts {
  readonly registrationId: string;
  readonly transport: ClientTransport;
  /** HTTP-class status of the answer; 0 when a fault left the request without one. */
  readonly status: number;
}

/** Everything the emulator records, by kind. */
export interface EventKinds {
  /** A client was let in to DPS; whether its credential is good shows at registration. */
  "dps.connected": ConnectionFacts & { readonly registrationId: string };
  "dps.refused": { readonly clientId: string; readonly code: number; readonly reason: string };
  "dps.disconnected": { readonly registrationId: string; readonly reason: string };
  /** A registration request and the status of its answer. */
  "dps.register": RequestFacts & { readonly payload?: JsonValue };
  /** A poll and the status of its answer. */
  "dps.poll": RequestFacts & { readonly operationId: string };
  /** A look-up of what a registration has come to; HTTPS only. */
  "dps.look-up": RequestFacts & { readonly credential: CredentialKind };
  "dps.assigned": {
    readonly registrationId: string;
    readonly hub: string;
    readonly deviceId: string;
    readonly substatus: string;
  };
  "hub.connected": ConnectionFacts & {
    readonly hub: string;
    readonly deviceId: string;
    readonly sessionPresent: boolean;
    readonly apiVersion: string;
    readonly modelId?: string;
    readonly clientAgent?: string;
  };
  "hub.refused": {
    readonly hub: string;
    readonly clientId: string;
    readonly code: number;
    readonly reason: string;
  };
  "hub.disconnected": { readonly hub: string; readonly deviceId: string; readonly reason: string };
  "hub.subscribed": { readonly hub: string; readonly deviceId: string; readonly filter: string };
  "hub.telemetry": { readonly hub: string; readonly deviceId: string; readonly sequenceNumber: number };
  "hub.message-completed": { readonly hub: string; readonly deviceId: string; readonly messageId: string };
  /** A message will not reach its device any more. */
  "hub.message-given-up": {
    readonly hub: string;
    readonly deviceId: string;
    readonly messageId: string;
    readonly status: Exclude<MessageStatus, "Success">;
  };
  /** A device said what became of a file. */
  "hub.file-uploaded": {
    readonly hub: string;
    readonly deviceId: string;
    readonly blobName: string;
    readonly isSuccess: boolean;
  };
  "hub.method-answered": {
    readonly hub: string;
    readonly deviceId: string;
    readonly name: string;
    readonly status: number;
  };
  "hub.twin-read": { readonly hub: string; readonly deviceId: string };
  /** A patch of reported properties; the version is the new one, or the old one when the patch was refused. */
  "hub.reported": {
    readonly hub: string;
    readonly deviceId: string;
    readonly status: number;
    readonly version: number;
    readonly patch: JsonObject;
  };
  /** A rule ended a connection, mostly because its client broke it; behind an outside broker it is only told. */
  "rule.broken": { readonly service: string | undefined; readonly clientId: string; readonly rule: Rule };
}

/** The name of something that the emulator records. */
export type EventKind = keyof EventKinds;

/** One thing that happened, of kind `K`. */
export type EmulatorEvent<K extends EventKind = EventKind> = K extends EventKind
  ? EventKinds[K] & {
      readonly kind: K;
      /** By the emulator's clock, milliseconds since the Unix epoch. */
      readonly atMs: number;
      /** By the emulator's clock, milliseconds that never run backwards; for the span between two events. */
      readonly elapsedMs: number;
    }
  : never;
