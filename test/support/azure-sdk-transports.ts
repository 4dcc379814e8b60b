import tls from "node:tls";
import deviceMqtt from "azure-iot-device-mqtt";
import provisioningMqtt from "azure-iot-provisioning-device-mqtt";
import { AzureSdkDpsTransport } from "../../src/transport/azure-sdk/azure-sdk-dps-transport.ts";
import { AzureSdkHubTransport } from "../../src/transport/azure-sdk/azure-sdk-hub-transport.ts";
import { testAuthority } from "./tls-peer.ts";

/** The library takes further CAs from the environment of a process alone, at its start; this process has started long ago. */
async function trustTestAuthority(): Promise<void> {
  const { certificatePem } = await testAuthority();
  const connect = tls.connect as (options: tls.ConnectionOptions, ...rest: unknown[]) => tls.TLSSocket;
  tls.connect = ((options: tls.ConnectionOptions, ...rest: unknown[]) =>
    connect({ ca: certificatePem, ...options }, ...rest)) as typeof tls.connect;
}

const trusted = trustTestAuthority();

/** The adapter over the library's `Mqtt` for DPS, which finds peers of the {@link testAuthority}. */
export async function sdkDpsTransport(): Promise<AzureSdkDpsTransport> {
  await trusted;
  return new AzureSdkDpsTransport({ load: () => provisioningMqtt.Mqtt, portInHost: true });
}

/** The same for hubs. */
export async function sdkHubTransport(): Promise<AzureSdkHubTransport> {
  await trusted;
  return new AzureSdkHubTransport({ load: () => deviceMqtt.Mqtt, portInHost: true });
}
