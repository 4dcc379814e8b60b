import assert from "node:assert/strict";
import { Secret } from "../secret.ts";
import { endpointOfDps, endpointOfHub } from "./endpoint-schema.ts";
import type { Sourced } from "./file-reference.ts";
import type {
  AttestationSettings,
  DoctorSettings,
  DpsSettings,
  HubSettings,
  ManualSettings,
  MethodCommandSettings,
  NetworkSettings,
  Settings,
  X509Settings,
} from "./settings.ts";
import { type Draft, systemHostsFile } from "./settings-schema.ts";
import type { ValidDraft } from "./validate.ts";

/** Gives the value of a setting, wherever it stands. */
export type Open = <T>(source: Sourced<T>) => T;

type ProvisioningDraft = Draft["provisioning"];
type DpsDraft = Extract<ProvisioningDraft, { source: "dps" }>;
type ManualDraft = Extract<ProvisioningDraft, { source: "manual" }>;
type X509Draft = Omit<Extract<DpsDraft["attestation"], { method: "x509" }>, "method" | "registration_id">;

/** Builds the frozen settings from a valid draft. */
export function assemble({ settings: draft, proxies, stateDirectory }: ValidDraft, open: Open): Settings {
  const { provisioning, telemetry, methods, log } = draft;
  return deepFreeze({
    provisioning: provisioning.source === "dps" ? dps(provisioning, open) : manual(provisioning, open),
    hub: hub(draft.hub),
    network: network(draft, proxies, open),
    telemetry: { intervalMs: telemetry.interval },
    methods: Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, methodCommand(method)])),
    ...mcu(draft.mcu),
    doctor: doctor(draft.doctor),
    state: { directory: stateDirectory },
    log: { level: log.level },
  });
}

function dps(draft: DpsDraft, open: Open): DpsSettings {
  return {
    source: "dps",
    idScope: draft.id_scope,
    endpoint: endpointOfDps(draft),
    transport: draft.transport,
    attestation: attestation(draft.attestation, open),
    ...(draft.payload === undefined ? {} : { payload: open(draft.payload) }),
    alwaysReprovisionOnStartup: draft.always_reprovision_on_startup,
    timeoutMs: draft.timeout,
  };
}

function attestation(draft: DpsDraft["attestation"], open: Open): AttestationSettings {
  const { registration_id: registrationId } = draft;
  if (draft.method === "x509") return x509(draft, registrationId, open);
  const symmetricKey = open(draft.symmetric_key);
  return { method: "symmetric_key", registrationId: given(registrationId), symmetricKey, derive: draft.derive };
}

function manual(draft: ManualDraft, open: Open): ManualSettings {
  if (draft.connection_string !== undefined) {
    const { hostName, deviceId, sharedAccessKey } = open(draft.connection_string);
    const authentication = sas(deviceId, sharedAccessKey);
    return { source: "manual", iothubHostname: hostName, deviceId, endpoint: endpointOfHub(draft), authentication };
  }
  const deviceId = given(draft.device_id);
  const how = given(draft.authentication);
  const authentication = how.method === "sas" ? sas(deviceId, open(how.device_id_pk)) : x509(how, deviceId, open);
  const iothubHostname = given(draft.iothub_hostname);
  return { source: "manual", iothubHostname, deviceId, endpoint: endpointOfHub(draft), authentication };
}

function sas(deviceId: string, symmetricKey: Secret): AttestationSettings {
  return { method: "symmetric_key", registrationId: deviceId, symmetricKey, derive: false };
}

function x509(draft: X509Draft, registrationId: string | undefined, open: Open): X509Settings {
  const password = draft.identity_password ?? draft.identity_pk_password;
  const secret = password === undefined ? {} : { password: open(password) };
  return {
    method: "x509",
    ...(registrationId === undefined ? {} : { registrationId }),
    source:
      draft.identity_pkcs12 !== undefined
        ? { kind: "pkcs12", file: draft.identity_pkcs12, ...secret }
        : { kind: "pem", certificate: given(draft.identity_cert), privateKey: given(draft.identity_pk), ...secret },
  };
}

function hub(draft: Draft["hub"]): HubSettings {
  return {
    transport: draft.transport,
    ...(draft.model_id === undefined ? {} : { modelId: draft.model_id }),
    keepAliveSeconds: draft.keep_alive / 1000,
    tokenLifetimeMs: draft.token_lifetime,
    telemetryWindow: draft.telemetry_window,
  };
}

function network(
  { network: draft, trust_bundle_cert }: Draft,
  environment: ValidDraft["proxies"],
  open: Open,
): NetworkSettings {
  const trustBundle = draft.trust_bundle ?? trust_bundle_cert;
  const configured = draft.proxy === undefined ? undefined : { proxy: open(draft.proxy), proxyFrom: "configuration" };
  const { proxy, proxyFrom } = configured ?? environment;
  return {
    ...(trustBundle === undefined ? {} : { trustBundle }),
    connectTo: draft.connect_to,
    ...(draft.name_servers === undefined ? {} : { nameServers: draft.name_servers }),
    hostsFile: draft.hosts_file ?? systemHostsFile,
    ...(proxy === undefined || proxyFrom === undefined ? {} : { proxy, proxyFrom }),
    noProxy: draft.no_proxy ?? environment.noProxy ?? [],
  };
}

function mcu({ port, baud_rate }: Draft["mcu"]): Pick<Settings, "mcu"> {
  return port === undefined ? {} : { mcu: { port, baudRate: baud_rate } };
}

function doctor({ event_hubs, device_update, digital_twins }: Draft["doctor"]): DoctorSettings {
  return {
    ...(event_hubs === undefined ? {} : { eventHubs: event_hubs }),
    ...(device_update === undefined ? {} : { deviceUpdate: device_update }),
    ...(digital_twins === undefined ? {} : { digitalTwins: digital_twins }),
  };
}

function methodCommand({ command, timeout, max_output }: Draft["methods"][string]): MethodCommandSettings {
  return { command, timeoutMs: timeout, maxOutputBytes: max_output };
}

/** A value whose presence the schema's alternatives have checked, which the types cannot say. */
function given<T>(value: T | undefined): T {
  assert(value !== undefined);
  return value;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !(value instanceof Secret)) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
