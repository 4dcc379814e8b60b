/** Sends two messages in one batch. */
import { drive, require, say } from "./driver.mjs";
import { hubClient } from "./hub-client.mjs";

const { Message } = require("azure-iot-device");

await drive(async () => {
  const client = await hubClient();
  await client.open();
  await client.sendEventBatch([new Message("one"), new Message("two")]);
  say("sent");
  await client.close();
});
