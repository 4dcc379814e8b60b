/**
 * landfall as a library. Start with {@link Agent}.
 *
 * @packageDocumentation
 */

export { Agent, type AgentOptions } from "./agent/agent.ts";
export type { AgentEvents, AgentPlace, AssignmentOrigin, ProvisioningReason } from "./agent/events.ts";
export type { MessageOptions } from "./agent/message.ts";
export type { OpeningDelayed } from "./agent/patient-opening.ts";
export type { FoundRoute } from "./agent/routes.ts";
export { type Clock, systemClock } from "./clock.ts";
export { type LoadedFile, type LoadOptions, loadSettings } from "./config/load.ts";
export type {
  AttestationSettings,
  DpsSettings,
  DpsTransportName,
  HubSettings,
  LogSettings,
  ManualSettings,
  McuSettings,
  MethodCommandSettings,
  NetworkSettings,
  ProvisioningSettings,
  Settings,
  StateSettings,
  SymmetricKeySettings,
  TelemetrySettings,
  TpmKeyTemplate,
  TpmSettings,
  TransportName,
  X509Settings,
} from "./config/settings.ts";
export { type LoadedSettings, type SettingsOrigin, settingsFrom } from "./config/settings-from.ts";
export type { Configuration } from "./config/settings-schema.ts";
export type { TpmLocation } from "./config/tpm-location.ts";
export type { ConnectToRule } from "./endpoint/connect-to.ts";
export type { EndpointSettings } from "./endpoint/endpoint-settings.ts";
export {
  type ErrorCode,
  errorTable,
  isLandfallError,
  LandfallError,
  type LandfallErrorOptions,
  type RetryClass,
  type ServiceReport,
} from "./errors.ts";
export type { ReceivedMessage } from "./hub/cloud-messages.ts";
export type { DesiredChange } from "./hub/desired-document.ts";
export type { MethodHandler, MethodOptions } from "./hub/direct-methods.ts";
export type { JsonObject, JsonValue } from "./json.ts";
export type { CertificateCredential, Credential, SasCredential, SasRequest, SasToken } from "./keys/credential.ts";
export {
  createLogger,
  type LogFields,
  type Logger,
  type LogLevel,
  type LogMessage,
  type LogRecord,
  logLevels,
} from "./log.ts";
export type { Assignment } from "./provisioning/assignment.ts";
export { Secret } from "./secret.ts";
export type { TlsIdentity } from "./tls-identity.ts";
export type {
  CloudMessage,
  DesiredPatch,
  MethodRequest,
  MethodResponse,
  TelemetryMessage,
  TwinDocument,
} from "./transport/messages.ts";
export type {
  CallOptions,
  DpsChannel,
  DpsIdentity,
  DpsRequest,
  DpsResponse,
  DpsTransport,
  HubConnection,
  HubHandlers,
  HubIdentity,
  HubTransport,
  Route,
  TransportAbilities,
} from "./transport/transport.ts";
