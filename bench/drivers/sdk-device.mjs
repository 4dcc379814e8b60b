// A device as the samples of Microsoft's library have it: registers, connects to the hub it is given, sends a message, and
// stays connected until it is ended.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { ProvisioningDeviceClient } = require("azure-iot-provisioning-device");
const { Mqtt: ProvisioningTransport } = require("azure-iot-provisioning-device-mqtt");
const { SymmetricKeySecurityClient } = require("azure-iot-security-symmetric-key");
const { Client, Message } = require("azure-iot-device");
const { Mqtt } = require("azure-iot-device-mqtt");

const { dpsHost, idScope, registrationId, symmetricKey, body } = JSON.parse(process.env.BENCH_DEVICE);

const securityClient = new SymmetricKeySecurityClient(registrationId, symmetricKey);
const dps = ProvisioningDeviceClient.create(dpsHost, idScope, new ProvisioningTransport(), securityClient);
const { assignedHub, deviceId } = await dps.register();
const hub = Client.fromConnectionString(
  `HostName=${assignedHub};DeviceId=${deviceId};SharedAccessKey=${symmetricKey}`,
  Mqtt,
);
await hub.open();
await hub.sendEvent(new Message(body));
process.stdout.write("acknowledged\n");
