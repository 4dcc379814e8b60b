import type { Surroundings } from "../../../src/config/place.ts";
import type { Configuration } from "../../../src/config/settings-schema.ts";

/** A group key of Azure's documentation; 64 bytes. */
export const sampleKey = "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";

/** A machine without proxies, where the agent has a home. */
export const surroundings: Surroundings = {
  env: { HOME: "/home/agent" },
  baseDirectory: "/etc/landfall",
  isRoot: false,
};

/** DPS with a symmetric key; nothing but what is required. */
export const withSymmetricKey = {
  provisioning: {
    source: "dps",
    id_scope: "0ne00000000",
    attestation: { method: "symmetric_key", registration_id: "my-device", symmetric_key: { value: sampleKey } },
  },
} as const satisfies Configuration;

/** DPS with a certificate in PEM files. */
export const withCertificate = {
  provisioning: {
    source: "dps",
    id_scope: "0ne00000000",
    attestation: { method: "x509", identity_cert: "device.pem", identity_pk: "file:///keys/device.key.pem" },
  },
} as const satisfies Configuration;

/** A hub given by hand. */
export const manual = {
  provisioning: {
    source: "manual",
    iothub_hostname: "my-hub.azure-devices.net",
    device_id: "my-device",
    authentication: { method: "sas", device_id_pk: sampleKey },
  },
} as const satisfies Configuration;
