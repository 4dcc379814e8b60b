import { input, require, transportOf } from "./driver.mjs";

const { Client } = require("azure-iot-device");

/** A client for the hub as the SDK's samples make one: from a token, or a connection string, with a certificate where it has one. */
export async function hubClient() {
  const Transport = transportOf("hub", input.transport);
  const client =
    input.token === undefined
      ? Client.fromConnectionString(input.connectionString, Transport)
      : Client.fromSharedAccessSignature(input.token, Transport);
  const options = { ...input.certificate, ...input.options };
  if (Object.keys(options).length > 0) await client.setOptions(options);
  return client;
}
