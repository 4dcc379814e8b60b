import type { EndpointSettings } from "../endpoint/endpoint-settings.ts";
import { formatNameServer } from "../endpoint/name-server.ts";
import type { JsonObject } from "../json.ts";
import { formatDuration } from "./duration.ts";
import { proxyWithoutCredentials } from "./proxy-address.ts";
import type { AttestationSettings, NetworkSettings, ProvisioningSettings, Settings, X509Settings } from "./settings.ts";

/** What stands for a secret. */
const hidden = "[secret]";

/**
 * The effective configuration for people and for logs, in the shape and with the names of the TOML file, defaults
 * filled in. Secrets are `[secret]`, a proxy is shown without its credentials.
 */
export function describeSettings(settings: Settings): JsonObject {
  const { provisioning, hub, network, telemetry, methods, mcu, doctor, state, log } = settings;
  return {
    provisioning: describeProvisioning(provisioning),
    hub: {
      transport: hub.transport,
      ...(hub.modelId === undefined ? {} : { model_id: hub.modelId }),
      keep_alive: formatDuration(hub.keepAliveSeconds * 1000),
      token_lifetime: formatDuration(hub.tokenLifetimeMs),
      telemetry_window: hub.telemetryWindow,
    },
    network: describeNetwork(network),
    telemetry: { interval: formatDuration(telemetry.intervalMs) },
    methods: Object.fromEntries(
      Object.entries(methods).map(([name, { command, timeoutMs, maxOutputBytes }]) => [
        name,
        { command, timeout: formatDuration(timeoutMs), max_output: maxOutputBytes },
      ]),
    ),
    ...(mcu === undefined ? {} : { mcu: { port: mcu.port, baud_rate: mcu.baudRate } }),
    doctor: {
      ...(doctor.eventHubs === undefined ? {} : { event_hubs: doctor.eventHubs }),
      ...(doctor.deviceUpdate === undefined ? {} : { device_update: doctor.deviceUpdate }),
      ...(doctor.digitalTwins === undefined ? {} : { digital_twins: doctor.digitalTwins }),
    },
    state: { directory: state.directory },
    log: { level: log.level },
  };
}

function describeProvisioning(provisioning: ProvisioningSettings): JsonObject {
  if (provisioning.source === "manual") {
    const { source, iothubHostname, deviceId, endpoint, authentication } = provisioning;
    return {
      source,
      iothub_hostname: iothubHostname,
      device_id: deviceId,
      ...describePaths(endpoint),
      authentication:
        authentication.method === "symmetric_key"
          ? { method: "sas", device_id_pk: hidden }
          : { method: "x509", ...describeX509(authentication) },
    };
  }
  return {
    source: provisioning.source,
    id_scope: provisioning.idScope,
    ...describeEndpoint(provisioning.endpoint),
    transport: provisioning.transport,
    ...(provisioning.payload === undefined ? {} : { payload: provisioning.payload }),
    always_reprovision_on_startup: provisioning.alwaysReprovisionOnStartup,
    timeout: formatDuration(provisioning.timeoutMs),
    attestation: describeAttestation(provisioning.attestation),
  };
}

function describeEndpoint(endpoint: EndpointSettings): JsonObject {
  return {
    endpoint: endpoint.endpoint,
    ...(endpoint.dpsName === undefined ? {} : { dps_name: endpoint.dpsName }),
    data_residency: endpoint.dataResidency,
    allow_global_fallback: endpoint.allowGlobalFallback,
    ...describePaths(endpoint),
  };
}

function describePaths({ cloud, network, privateCidrs }: EndpointSettings): JsonObject {
  return { ...(cloud === undefined ? {} : { cloud }), network, private_cidrs: privateCidrs };
}

function describeAttestation(attestation: AttestationSettings): JsonObject {
  const { method, registrationId } = attestation;
  const id = registrationId === undefined ? {} : { registration_id: registrationId };
  if (attestation.method === "x509") return { method, ...id, ...describeX509(attestation) };
  return { method, ...id, symmetric_key: hidden, derive: attestation.derive };
}

function describeX509({ source }: X509Settings): JsonObject {
  const secret = source.password !== undefined;
  if (source.kind === "pkcs12")
    return { identity_pkcs12: source.file, ...(secret ? { identity_password: hidden } : {}) };
  const { certificate, privateKey } = source;
  return { identity_cert: certificate, identity_pk: privateKey, ...(secret ? { identity_pk_password: hidden } : {}) };
}

function describeNetwork({ trustBundle, connectTo, nameServers, hostsFile, ...proxies }: NetworkSettings): JsonObject {
  const { proxy, proxyFrom, noProxy = [] } = proxies;
  return {
    ...(trustBundle === undefined ? {} : { trust_bundle: trustBundle }),
    connect_to: connectTo.map(({ text }) => text),
    ...(nameServers === undefined ? {} : { name_servers: nameServers.map(formatNameServer) }),
    hosts_file: hostsFile,
    ...(proxy === undefined ? {} : { proxy: proxyWithoutCredentials(proxy) }),
    ...(proxyFrom === undefined ? {} : { proxy_from: proxyFrom }),
    no_proxy: noProxy,
  };
}
