// A press: says its temperature every few seconds, blinks when it is called to, and lets its twin set the pace.
//
//   node press.mjs        with a landfall.toml in the working directory; Ctrl-C ends it
import { setTimeout as delay } from "node:timers/promises";
import { Agent, loadSettings } from "landfall";

const ending = new AbortController();
const { signal } = ending;
for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => ending.abort());

const agent = await Agent.fromSettings(await loadSettings());
let everySeconds = 10;

agent.on("connected", ({ hub, deviceId }) => console.log(`connected to ${hub} as ${deviceId}`));
agent.on("disconnected", ({ error }) => console.log(`lost the connection: ${error.message}`));

agent.onMethod("blink", ({ payload }) => {
  const times = payload?.times ?? 1;
  if (!Number.isInteger(times)) return { status: 400, payload: { expected: "times, a whole number" } };
  console.log("blink ".repeat(times));
  return { status: 200, payload: { blinked: times } };
});

/** Applies `everySeconds` of the desired properties, and reports what became of it. */
async function followTwin(changes) {
  for await (const { patch, version } of changes) {
    if (!("everySeconds" in patch)) continue;
    const fits = patch.everySeconds >= 1 && patch.everySeconds <= 3600;
    if (fits) everySeconds = patch.everySeconds;
    await agent.report({ everySeconds: { value: everySeconds, ac: fits ? 200 : 400, av: version } });
  }
}

async function sayTemperature() {
  for (;;) {
    const temperature = 40 + 5 * Math.random();
    await agent.send({ temperature }, { properties: { alarm: temperature > 44 ? "yes" : "no" }, signal });
    await delay(everySeconds * 1000, undefined, { signal });
  }
}

try {
  const changes = agent.desiredChanges({ signal });
  await agent.start({ signal });
  await Promise.all([followTwin(changes), sayTemperature()]);
} catch (error) {
  if (!signal.aborted) throw error;
} finally {
  await agent.close();
}
