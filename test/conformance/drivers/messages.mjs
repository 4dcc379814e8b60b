/** Takes cloud-to-device messages until as many have come as `input.count` says, settles each, and leaves. */
import { drive, input, say } from "./driver.mjs";
import { hubClient } from "./hub-client.mjs";

await drive(async () => {
  const client = await hubClient();
  const { count, settle = "complete" } = input;
  await new Promise((resolve, reject) => {
    let left = count;
    client.on("error", reject);
    client.on("message", (message) => {
      const { messageId, correlationId, userId, contentType, contentEncoding, properties } = message;
      const system = { messageId, correlationId, userId, contentType, contentEncoding };
      const named = properties.propertyList.map(({ key, value }) => [key, value]);
      say("message", { body: message.getData().toString(), ...system, properties: Object.fromEntries(named) });
      client[settle](message).then(() => {
        left -= 1;
        if (left === 0) resolve();
      }, reject);
    });
    client.open().then(() => say("open"), reject);
  });
  client.removeAllListeners("message");
  await client.close();
});
