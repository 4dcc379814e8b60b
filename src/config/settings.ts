import type { ConnectToRule } from "../endpoint/connect-to.ts";
import type { EndpointSettings } from "../endpoint/endpoint-settings.ts";
import type { NameServer } from "../endpoint/name-server.ts";
import type { JsonObject } from "../json.ts";
import type { LogLevel } from "../log.ts";
import type { Secret } from "../secret.ts";

/**
 * The whole configuration after validation: frozen, defaults filled in, secrets read into {@link Secret}.
 * Names here are the file's names in camelCase.
 */
export interface Settings {
  readonly provisioning: ProvisioningSettings;
  readonly hub: HubSettings;
  readonly network: NetworkSettings;
  readonly telemetry: TelemetrySettings;
  /** Direct methods that run a command, by method name. */
  readonly methods: Readonly<Record<string, MethodCommandSettings>>;
  /** Absent when there is no MCU. */
  readonly mcu?: McuSettings;
  readonly doctor: DoctorSettings;
  readonly state: StateSettings;
  readonly log: LogSettings;
}

/** How bytes travel to DPS or hub. */
export type TransportName = "mqtt" | "mqtt-ws";

/** `[provisioning]`: through DPS, or a hub given by hand. */
export type ProvisioningSettings = DpsSettings | ManualSettings;

/** `source = "dps"`. */
export interface DpsSettings {
  readonly source: "dps";
  readonly idScope: string;
  /** Which endpoint of DPS is used, and by which paths. */
  readonly endpoint: EndpointSettings;
  readonly transport: TransportName;
  readonly attestation: AttestationSettings;
  /** Sent with the registration, for custom allocation. */
  readonly payload?: JsonObject;
  /** Ask DPS at every start, even with a stored assignment. Default false. */
  readonly alwaysReprovisionOnStartup: boolean;
  /** Longest time for one registration, in milliseconds, 10 000 to 3 600 000. Default 300 000. */
  readonly timeoutMs: number;
}

/** `source = "manual"`: no DPS. */
export interface ManualSettings {
  readonly source: "manual";
  readonly iothubHostname: string;
  readonly deviceId: string;
  /** By which paths the hub may be reached; what concerns DPS alone means nothing here. */
  readonly endpoint: EndpointSettings;
  readonly authentication: AttestationSettings;
}

/** `[provisioning.attestation]`, or `[provisioning.authentication]` for a manual source. */
export type AttestationSettings = X509Settings | SymmetricKeySettings;

/** `method = "x509"`: a PEM pair, or one PKCS#12 file. */
export interface X509Settings {
  readonly method: "x509";
  /** For a manual source: the device id. Absent: the common name of the certificate, which DPS requires to be the same. */
  readonly registrationId?: string;
  /** Absolute paths. */
  readonly source:
    | { readonly kind: "pem"; readonly certificate: string; readonly privateKey: string; readonly password?: Secret }
    | { readonly kind: "pkcs12"; readonly file: string; readonly password?: Secret };
}

/** `method = "symmetric_key"` (`"sas"` for a manual source). */
export interface SymmetricKeySettings {
  readonly method: "symmetric_key";
  readonly registrationId: string;
  /** Base64 text with padding, as DPS shows it; 16 to 64 bytes. */
  readonly symmetricKey: Secret;
  /** The key is the enrollment group's: derive the device's own key from it on the device. */
  readonly derive: boolean;
}

/** `[hub]`. */
export interface HubSettings {
  readonly transport: TransportName;
  /** Plug and Play model id. */
  readonly modelId?: string;
  /** MQTT keep-alive, in seconds, 10 to 1177. Default 240. */
  readonly keepAliveSeconds: number;
  /** Life of a SAS token, in milliseconds, 60 000 to 31 536 000 000 (a year). Default one hour. */
  readonly tokenLifetimeMs: number;
  /** Telemetry messages that may wait for an acknowledgement at one time, 1 to 1000. Default 32. */
  readonly telemetryWindow: number;
}

/** `[network]`. */
export interface NetworkSettings {
  /** Absolute path of the PEM file whose certificates are trusted beside the system's roots. */
  readonly trustBundle?: string;
  /** `host:port:host:port` rules, first match wins. */
  readonly connectTo: readonly ConnectToRule[];
  /** Name servers that take the place of the system's resolver, for evidence and for dialling; absent: the system's. */
  readonly nameServers?: readonly NameServer[];
  /** Absolute path of the hosts file. Default `/etc/hosts`. */
  readonly hostsFile: string;
  /**
   * Proxy for WebSocket (`http://`, `https://`, `socks5://`, `socks5h://`), credentials included, with the scheme written
   * out. From `[network]`, else from the environment; absent: none.
   */
  readonly proxy?: Secret;
  /** Where {@link proxy} stands: `configuration`, or the name of the environment variable. */
  readonly proxyFrom?: string;
  /** Hosts and suffixes that go direct. From `[network]`, else from the environment; absent or empty: none. */
  readonly noProxy?: readonly string[];
}

/** `[telemetry]`: what the agent says by itself. */
export interface TelemetrySettings {
  /** Between two system messages, in milliseconds, 1000 to 86 400 000; 0 turns them off. Default 60 000. */
  readonly intervalMs: number;
}

/** `[methods.NAME]`. */
export interface MethodCommandSettings {
  /** Program and arguments; no shell is involved. */
  readonly command: readonly string[];
  /** Milliseconds after which the command is killed, 1000 to 3 600 000. Default 30 000. */
  readonly timeoutMs: number;
  /** Bytes of output that are kept, 0 to 131 072; the rest is cut. Default 65 536. */
  readonly maxOutputBytes: number;
}

/** `[mcu]`: the microcontroller on a serial port. */
export interface McuSettings {
  /** Path of a serial device, `tcp://HOST:PORT` or `unix:PATH`. */
  readonly port: string;
  /** Bits per second of a serial device, 300 to 4 000 000. Default 115 200. */
  readonly baudRate: number;
}

/** `[doctor]`: host names of further services to look at. */
export interface DoctorSettings {
  /** The hub's built-in Event Hubs-compatible endpoint. */
  readonly eventHubs?: string;
  readonly deviceUpdate?: string;
  readonly digitalTwins?: string;
}

/** `[state]`. */
export interface StateSettings {
  /** Absolute path of the directory of the assignment and the network memory, mode 0700. */
  readonly directory: string;
}

/** `[log]`. */
export interface LogSettings {
  readonly level: LogLevel;
}
