// Handles cloud-to-device messages, one after the other. The hub keeps a message until the loop asks for the next one; a
// message whose handling throws is delivered again.
//
//   node inbox.mjs        with a landfall.toml in the working directory; Ctrl-C ends it
import { Agent, loadSettings } from "landfall";

const ending = new AbortController();
const { signal } = ending;
for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => ending.abort());

const agent = await Agent.fromSettings(await loadSettings());
try {
  const messages = agent.messages({ signal });
  await agent.start({ signal });
  for await (const { payload, properties, messageId } of messages) {
    const text = new TextDecoder().decode(payload);
    console.log(`${messageId}: ${text} ${JSON.stringify(properties)}`);
  }
} catch (error) {
  if (!signal.aborted) throw error;
} finally {
  await agent.close();
}
