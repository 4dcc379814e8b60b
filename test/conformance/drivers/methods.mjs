/** Answers the direct method `reboot` once. */
import { drive, say } from "./driver.mjs";
import { hubClient } from "./hub-client.mjs";

await drive(async () => {
  const client = await hubClient();
  await client.open();
  await new Promise((resolve, reject) => {
    client.on("error", reject);
    client.onDeviceMethod("reboot", (request, response) => {
      say("called", { payload: request.payload });
      response.send(207, { echo: request.payload }).then(resolve, reject);
    });
  });
  await client.close();
});
