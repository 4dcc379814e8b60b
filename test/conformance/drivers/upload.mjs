/** Uploads a file of `input.bytes` bytes. */
import { Readable } from "node:stream";
import { drive, input } from "./driver.mjs";
import { hubClient } from "./hub-client.mjs";

await drive(async () => {
  const client = await hubClient();
  await client.open();
  const content = Buffer.alloc(input.bytes, "landfall ");
  await client.uploadToBlob(input.blobName, Readable.from([content], { objectMode: false }), content.length);
  await client.close();
});
