/**
 * Top-level keys of Azure's `config.toml` (aziot and IoT Edge) that landfall has no use for. A user who brings his file
 * along keeps them; they are accepted, whatever they hold, and named in one warning.
 */
export const unusedAziotKeys: readonly string[] = [
  "hostname",
  "local_gateway_hostname",
  "parent_hostname",
  "cloud_timeout_sec",
  "cloud_retries",
  "dps_trust_bundle",
  "auto_reprovisioning_mode",
  "manifest_trust_bundle_cert",
  "imported_master_encryption_key",
  "allow_elevated_docker_permissions",
  "additional_info",
  "max_requests",
  "iotedge_max_requests",
  "localid",
  "aziot_keys",
  "preloaded_keys",
  "preloaded_certs",
  "cert_issuance",
  "tpm",
  "endpoints",
  "agent",
  "connect",
  "listen",
  "watchdog",
  "edge_ca",
  "moby_runtime",
  "image_garbage_collection",
];
