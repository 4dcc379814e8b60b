/**
 * The whole way of a device with a TPM: says its keys and waits until they are enrolled, registers with DPS, connects to
 * the assigned hub, sends one message.
 */
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { drive, input, nextLine, require, say, transportOf } from "./driver.mjs";
import { RawTpmDevice } from "./raw-tpm-device.mjs";

const requireTpm = createRequire(new URL("../tpm-client/package.json", import.meta.url));
const { TpmAuthenticationProvider, TpmSecurityClient } = requireTpm("azure-iot-security-tpm");
const { Tpm } = requireTpm("tss.js");
const { ProvisioningDeviceClient } = require("azure-iot-provisioning-device");
const { Client, Message } = require("azure-iot-device");

const tpm = new Tpm(true);
tpm.device = new RawTpmDevice(input.tpmSocket);
const security = new TpmSecurityClient(undefined, tpm);
const asked = (name) => promisify(security[name].bind(security))();

await drive(async () => {
  const { dpsHost, idScope, transport } = input;
  const Transport = transportOf("dps", transport);
  const provisioning = ProvisioningDeviceClient.create(dpsHost, idScope, new Transport(), security);
  const endorsementKey = (await asked("getEndorsementKey")).toString("base64");
  const storageRootKey = (await asked("getStorageRootKey")).toString("base64");
  say("identity", { registrationId: await asked("getRegistrationId"), endorsementKey, storageRootKey });
  await nextLine();
  const { registrationState: state } = await provisioning.register();
  say("registered", { state });
  const provider = TpmAuthenticationProvider.fromTpmSecurityClient(state.deviceId, state.assignedHub, security);
  const client = Client.fromAuthenticationProvider(provider, transportOf("hub", "Mqtt"));
  await client.open();
  await client.sendEvent(new Message("hello"));
  say("sent");
  await client.close();
});
