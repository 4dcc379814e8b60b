import { createHmac } from "node:crypto";
import { input, require, transportOf } from "./driver.mjs";

/** The key of a group's member, as the SDK's samples derive it. */
function derivedKey(groupKey, registrationId) {
  return createHmac("SHA256", Buffer.from(groupKey, "base64")).update(registrationId, "utf8").digest("base64");
}

/** The key that this device signs with; `undefined` when it has a certificate. */
export function deviceKey() {
  const { registrationId, key, groupKey } = input;
  return groupKey === undefined ? key : derivedKey(groupKey, registrationId);
}

function securityClient() {
  const { registrationId, certificate } = input;
  if (certificate !== undefined) {
    const { X509Security } = require("azure-iot-security-x509");
    return new X509Security(registrationId, certificate);
  }
  const { SymmetricKeySecurityClient } = require("azure-iot-security-symmetric-key");
  return new SymmetricKeySecurityClient(registrationId, deviceKey());
}

/** Registers with DPS; resolves with the registration state. */
export async function register() {
  const { ProvisioningDeviceClient } = require("azure-iot-provisioning-device");
  const { dpsHost, idScope, transport, payload } = input;
  const Transport = transportOf("dps", transport);
  const client = ProvisioningDeviceClient.create(dpsHost, idScope, new Transport(), securityClient());
  if (payload !== undefined) client.setProvisioningPayload(payload);
  return client.register();
}
