/** The whole way of a device: registers with DPS, connects to the assigned hub, sends one message. */
import { drive, input, require, say, transportOf } from "./driver.mjs";
import { deviceKey, register } from "./registration.mjs";

const { Client, Message } = require("azure-iot-device");

await drive(async () => {
  const state = await register();
  say("registered", { state });
  const { assignedHub, deviceId } = state;
  const secret = input.certificate === undefined ? `SharedAccessKey=${deviceKey()}` : "x509=true";
  const Transport = transportOf("hub", input.transport === "Http" ? "Mqtt" : input.transport);
  const client = Client.fromConnectionString(`HostName=${assignedHub};DeviceId=${deviceId};${secret}`, Transport);
  if (input.certificate !== undefined) await client.setOptions(input.certificate);
  await client.open();
  await client.sendEvent(new Message("hello"));
  say("sent");
  await client.close();
});
