/**
 * Transports of Microsoft's device libraries for Node, clothed as landfall's: `import { … } from "landfall/azure-sdk"`. The
 * libraries are optional peers; install the ones whose classes you hand over.
 */
export { AzureSdkDpsTransport, type AzureSdkDpsTransportOptions } from "./azure-sdk-dps-transport.ts";
export { AzureSdkHubTransport, type AzureSdkHubTransportOptions } from "./azure-sdk-hub-transport.ts";
export type { LibraryLookup } from "./sdk-route.ts";
export type {
  SdkCallback,
  SdkCertificate,
  SdkDpsTransport,
  SdkDpsTransportClass,
  SdkHubTransport,
  SdkHubTransportClass,
  SdkMessage,
  SdkMethodCall,
  SdkRegistrationCallback,
  SdkRegistrationRequest,
} from "./sdk-shapes.ts";
