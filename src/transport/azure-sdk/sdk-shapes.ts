import type { JsonObject } from "../../json.ts";

/**
 * As much of Microsoft's device libraries for Node as the adapters use, so that their types are nobody's dependency. The
 * classes of the packages `azure-iot-provisioning-device-*` and `azure-iot-device-*` fit without a cast.
 */

/** A callback in the libraries' manner. */
export type SdkCallback<T = unknown> = (error?: Error | null, result?: T) => void;

/** A certificate with its key; both PEM. */
export interface SdkCertificate {
  readonly cert: string;
  readonly key: string;
}

/** What a registration request carries. */
export interface SdkRegistrationRequest {
  readonly registrationId: string;
  readonly provisioningHost: string;
  readonly idScope: string;
  readonly payload?: JsonObject;
}

/** What comes back: the parsed body, the transport's own response, and the delay that the service asked for. */
export type SdkRegistrationCallback = (
  error?: Error | null,
  result?: unknown,
  response?: unknown,
  pollingIntervalMs?: number,
) => void;

/** A transport of an `azure-iot-provisioning-device-*` package. */
export interface SdkDpsTransport {
  setAuthentication?(certificate: SdkCertificate): void;
  setSharedAccessSignature?(token: string): void;
  setTransportOptions(options: { readonly pollingInterval?: number }): void;
  registrationRequest(request: SdkRegistrationRequest, callback: SdkRegistrationCallback): void;
  queryOperationStatus(request: SdkRegistrationRequest, operationId: string, callback: SdkRegistrationCallback): void;
  cancel(callback: SdkCallback): void;
  disconnect(callback: SdkCallback): void;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** The class of such a transport. */
export type SdkDpsTransportClass = new () => SdkDpsTransport;

/** A message of the libraries, in either direction. */
export interface SdkMessage {
  data: unknown;
  messageId: string;
  correlationId: string;
  userId: string;
  to: string;
  lockToken: string;
  expiryTimeUtc: unknown;
  contentType: string;
  contentEncoding: string;
  readonly properties: {
    readonly propertyList: { readonly key: string; readonly value: string }[];
    count(): number;
  };
}

/** A direct method call as the transports hand it over. */
export interface SdkMethodCall {
  readonly methods: { readonly methodName: string };
  readonly requestId: string;
  readonly body: Uint8Array | undefined;
}

/** A transport of an `azure-iot-device-*` package. */
export interface SdkHubTransport {
  setOptions(options: unknown, callback?: SdkCallback): void;
  connect(callback: SdkCallback): void;
  disconnect(callback: SdkCallback): void;
  sendEvent(message: unknown, callback: SdkCallback): void;
  complete(message: unknown, callback: SdkCallback): void;
  abandon(message: unknown, callback: SdkCallback): void;
  enableC2D(callback: SdkCallback): void;
  enableMethods(callback: SdkCallback): void;
  sendMethodResponse(response: unknown, callback: SdkCallback): void;
  getTwin(callback: SdkCallback): void;
  updateTwinReportedProperties(patch: unknown, callback: SdkCallback): void;
  enableTwinDesiredPropertiesUpdates(callback: SdkCallback): void;
  emit(event: string | symbol, ...args: unknown[]): boolean;
  on(event: string | symbol, listener: (...args: unknown[]) => void): unknown;
}

/** The class of such a transport; it is made with a provider of credentials, of a type that is the library's own. */
export type SdkHubTransportClass = new (authenticationProvider: never) => SdkHubTransport;
