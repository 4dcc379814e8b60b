// The agent over the transports of Microsoft's device library for Node, for who has reasons to stay with them. The library
// dials by itself: what [network] says does not reach it, and further CAs go into NODE_EXTRA_CA_CERTS.
//
//   npm install azure-iot-provisioning-device-mqtt azure-iot-device-mqtt
//   node azure-sdk-transports.mjs        with a landfall.toml in the working directory
import { Agent, loadSettings } from "landfall";
import { AzureSdkDpsTransport, AzureSdkHubTransport } from "landfall/azure-sdk";

const name = "azure-sdk-mqtt-ws";
const dpsTransport = new AzureSdkDpsTransport({
  name,
  load: async () => (await import("azure-iot-provisioning-device-mqtt")).default.MqttWs,
});
const hubTransport = new AzureSdkHubTransport({
  name,
  load: async () => (await import("azure-iot-device-mqtt")).default.MqttWs,
});

const agent = await Agent.fromSettings(await loadSettings(), { dpsTransport, hubTransport });
try {
  const { hub, deviceId } = await agent.start();
  await agent.send({ sentBy: name });
  console.log(`sent to ${hub} as ${deviceId}`);
} finally {
  await agent.close();
}
