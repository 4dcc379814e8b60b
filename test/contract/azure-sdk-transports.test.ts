import { sdkDpsTransport, sdkHubTransport } from "../support/azure-sdk-transports.ts";
import { startMqttDpsHarness } from "../support/mqtt-dps-harness.ts";
import { startMqttHubHarness } from "../support/mqtt-hub-harness.ts";
import { describeDpsTransport } from "./dps-transport.ts";
import { describeHubTransport } from "./hub-transport.ts";

describeDpsTransport("azure-sdk", async () => startMqttDpsHarness("tcp", await sdkDpsTransport()), {
  connectsLate: true,
  asciiJsonOnly: true,
  hidesThrottling: true,
});

describeHubTransport("azure-sdk", async () => startMqttHubHarness("tcp", await sdkHubTransport()), {
  acknowledgesOnArrival: true,
  hidesTwinStatus: true,
});
