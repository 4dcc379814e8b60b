import { input, require, transportOf } from "./driver.mjs";

const { Client } = require("azure-iot-device");

/** A client for the hub as the SDK's samples make one: from a connection string, with a certificate where it has one. */
export async function hubClient() {
  const client = Client.fromConnectionString(input.connectionString, transportOf("hub", input.transport));
  const options = { ...input.certificate, ...input.options };
  if (Object.keys(options).length > 0) await client.setOptions(options);
  return client;
}
