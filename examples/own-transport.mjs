// The agent over a transport of one's own. What [network] says reaches it only as far as it asks for it.
//
//   node own-transport.mjs        with a landfall.toml in the working directory
import { readFileSync } from "node:fs";
import { Agent, loadSettings } from "landfall";
import { HttpsDpsTransport } from "./https-dps-transport.mjs";

const loaded = await loadSettings();
const { trustBundle, connectTo } = loaded.settings.network;
const rule = connectTo.find(({ fromPort }) => fromPort === 443);
const dpsTransport = new HttpsDpsTransport({
  ...(trustBundle ? { ca: readFileSync(trustBundle) } : {}),
  ...(rule ? { host: rule.toHost, port: rule.toPort } : {}),
});

const agent = await Agent.fromSettings(loaded, { dpsTransport });
try {
  const { hub, deviceId } = await agent.start();
  await agent.send({ registeredOver: dpsTransport.name });
  console.log(`sent to ${hub} as ${deviceId}`);
} finally {
  await agent.close();
}
