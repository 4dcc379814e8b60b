/** Registers, connects to the assigned hub, sends one message with properties, leaves. */
import { drive, input, require, transportOf } from "./driver.mjs";
import { deviceKey, register } from "./registration.mjs";

const { Client, Message } = require("azure-iot-device");

await drive(async () => {
  const { assignedHub, deviceId } = await register();
  const connectionString = `HostName=${assignedHub};DeviceId=${deviceId};SharedAccessKey=${deviceKey()}`;
  const client = Client.fromConnectionString(connectionString, transportOf("hub", input.transport));
  await client.open();
  const { body, properties, ...system } = input.message;
  const message = Object.assign(new Message(body), system);
  for (const [name, value] of Object.entries(properties)) message.properties.add(name, value);
  await client.sendEvent(message);
  await client.close();
});
