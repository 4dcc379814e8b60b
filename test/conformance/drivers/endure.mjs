/** Stays connected, listens to methods, and sends a message for every line on standard input until there is no more. */
import { createInterface } from "node:readline";
import { drive, require, say } from "./driver.mjs";
import { hubClient } from "./hub-client.mjs";

const { Message } = require("azure-iot-device");

await drive(async () => {
  const client = await hubClient();
  client.on("connect", () => say("connect"));
  client.on("disconnect", () => say("disconnect"));
  client.on("error", (error) => say("error", { message: error.message }));
  await client.open();
  client.onDeviceMethod("ping", (_, response) => response.send(200, "pong"));
  say("open");
  for await (const line of createInterface({ input: process.stdin })) {
    await client.sendEvent(new Message(line));
    say("sent", { line });
  }
  await client.close();
});
