/** Reads the twin, reports, and follows the desired properties until one of them is `stop`. */
import { drive, input, say } from "./driver.mjs";
import { hubClient } from "./hub-client.mjs";

await drive(async () => {
  const client = await hubClient();
  await client.open();
  const twin = await client.getTwin();
  const { update: _, ...reported } = twin.properties.reported;
  say("twin", { desired: twin.properties.desired, reported });
  const report = (patch) =>
    new Promise((resolve, reject) => {
      twin.properties.reported.update(patch, (error) => (error ? reject(error) : resolve()));
    });
  await report(input.report);
  say("reported");
  if (input.refused !== undefined) {
    await report(input.refused).then(
      () => say("accepted"),
      (error) => say("refused", { message: error.message }),
    );
  }
  await new Promise((resolve) => {
    twin.on("properties.desired", (patch) => {
      say("desired", { patch });
      if (patch.stop === true) resolve();
    });
  });
  await client.close();
});
