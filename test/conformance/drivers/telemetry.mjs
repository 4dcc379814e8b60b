/** Sends messages, as `input.messages` has them, one after the other. */
import { drive, input, require, say } from "./driver.mjs";
import { hubClient } from "./hub-client.mjs";

const { Message } = require("azure-iot-device");

await drive(async () => {
  const client = await hubClient();
  await client.open();
  for (const { body, properties = {}, ...system } of input.messages) {
    const message = Object.assign(new Message(body), system);
    for (const [name, value] of Object.entries(properties)) message.properties.add(name, value);
    const result = await client.sendEvent(message);
    say("sent", { result: result.constructor.name });
  }
  await client.close();
});
