import { createRequire } from "node:module";

/** What this driver is told: the JSON that the test puts into the environment. */
export const input = JSON.parse(process.env.CONFORMANCE_INPUT ?? "{}");

/** Tells the test that something happened, as one line of JSON. */
export function say(event, about = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...about })}\n`);
}

/** Resolves with the next line that the test writes to standard input. */
export function nextLine() {
  return new Promise((resolve) => process.stdin.once("data", (chunk) => resolve(String(chunk).trim())));
}

/** Runs a driver; what it rejects with is told as `failed`. The process ends by itself when nothing holds it. */
export async function drive(run) {
  try {
    await run();
    say("done");
  } catch (error) {
    say("failed", { name: error.name, message: error.message, result: error.result });
  }
  process.exit(0);
}

/** The SDK is made of CommonJS modules, which its users require. */
const require = createRequire(import.meta.url);

/** The transport of a service by its name: `Mqtt`, `MqttWs`, and for DPS also `Http`. */
export function transportOf(service, name) {
  const family = name === "Http" ? "http" : "mqtt";
  const prefix = service === "dps" ? "azure-iot-provisioning-device" : "azure-iot-device";
  return require(`${prefix}-${family}`)[name];
}

export { require };
