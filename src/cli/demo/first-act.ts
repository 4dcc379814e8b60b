import { Emulator } from "../../emulator/index.ts";
import { AgentProcess } from "./agent-process.ts";
import { enrollX509Device } from "./device-files.ts";
import { type Stage, untrue } from "./stage.ts";

/** What has to happen in the first act. */
export const firstSteps = [
  "emulator",
  "credential",
  "endpoint",
  "registration",
  "hub",
  "telemetry acknowledged",
  "method answered",
  "twin applied",
  "hub drop",
  "recovery",
  "restart",
] as const;

const registrationId = "demo-press-07";

/** A device comes into the cloud, serves, loses its connection, comes back, and starts again from what it has stored. */
export async function firstAct(stage: Stage): Promise<void> {
  const { timeline, directory } = stage;
  timeline.chapter("A new device finds its hub");
  await using emulator = await Emulator.start({ hubs: ["demo-hub-a", "demo-hub-b"], retryAfterSeconds: 1 });
  const { mqttPort, hubs } = emulator.ready;
  timeline.add("emulator", `DPS and ${hubs.length} hubs on 127.0.0.1:${mqttPort}, names as in Azure`);
  const configFile = await enrollX509Device(emulator, registrationId, directory);
  timeline.add("credential", `X.509 certificate CN=${registrationId}, issued by a CA that DPS has enrolled`);

  const hub = await serve(emulator, configFile, stage);
  await restart(emulator, hub, configFile, stage);
}

/** The first life of the agent's process. Returns the name of its hub. */
async function serve(emulator: Emulator, configFile: string, stage: Stage): Promise<string> {
  const { timeline, signal } = stage;
  await using agent = new AgentProcess(configFile);
  const endpoint = await agent.event("endpoint", { signal });
  timeline.add("endpoint", `${endpoint.host} (${endpoint.reason})`);
  const assigned = await agent.event("assigned", { signal });
  const polls = emulator.events.all.filter(({ kind }) => kind === "dps.poll").length;
  if (assigned.origin !== "provisioned") throw untrue("a new device asks DPS");
  timeline.add("registration", `${assigned.substatus}, after ${polls} polls: ${assigned.hub}`);
  const connected = await agent.event("connected", { signal });
  const hub = String(connected.hub);
  timeline.add("hub", `connected to ${hub} as ${connected.deviceId}`);
  await converse(emulator, hub, agent, stage);
  await loseAndRecover(emulator, hub, agent, stage);
  await agent.stop();
  return hub;
}

async function converse(
  emulator: Emulator,
  hub: string,
  agent: AgentProcess,
  { timeline, signal }: Stage,
): Promise<void> {
  timeline.chapter("It serves");
  await agent.event("telemetry-acknowledged", { signal });
  const [message] = emulator.hub(hub).received;
  if (message === undefined) throw untrue("an acknowledged message is at the hub");
  const start = message.text().slice(0, 48);
  timeline.add("telemetry acknowledged", `the hub has ${message.payload.length} bytes: ${start}…`);
  const answer = await emulator.hub(hub).invokeMethod(registrationId, "greet", null, { signal });
  if (answer.status !== 200) throw untrue(`the method answers 200, not ${JSON.stringify(answer)}`);
  timeline.add("method answered", `greet → ${answer.status} ${JSON.stringify(answer.payload)}`);
  const version = emulator.hub(hub).updateDesired(registrationId, { landfall: { telemetryInterval: 1 } });
  const reported = await reportedInterval(emulator, signal);
  timeline.add("twin applied", `desired version ${version} → reported ${reported}`);
}

/** What the device reported about the interval that it was told. */
async function reportedInterval(emulator: Emulator, signal: AbortSignal): Promise<string> {
  const report = await emulator.events.next("hub.reported", {
    where: ({ patch }) => JSON.stringify(patch).includes('"ac":'),
    signal,
  });
  const text = JSON.stringify(report.patch);
  if (report.status >= 300 || !text.includes('"ac":200')) throw untrue(`the device applies the interval, not ${text}`);
  return text;
}

async function loseAndRecover(emulator: Emulator, hub: string, agent: AgentProcess, { timeline, signal }: Stage) {
  timeline.chapter("The network fails");
  const before = emulator.hub(hub).received.length;
  emulator.hub(hub).dropConnection(registrationId);
  await agent.event("disconnected", { signal });
  timeline.add("hub drop", "the connection was cut");
  await agent.event("connected", { signal });
  await agent.event("telemetry-acknowledged", { signal });
  const more = emulator.hub(hub).received.length - before;
  if (more === 0) throw untrue("telemetry goes on after the recovery");
  timeline.add("recovery", `connected again by itself; the hub got ${more} more`);
}

async function restart(
  emulator: Emulator,
  hub: string,
  configFile: string,
  { timeline, signal }: Stage,
): Promise<void> {
  timeline.chapter("It starts again");
  const registrations = (): number => emulator.events.all.filter(({ kind }) => kind === "dps.register").length;
  const before = registrations();
  await using agent = new AgentProcess(configFile);
  const assigned = await agent.event("assigned", { signal });
  await agent.event("connected", { signal });
  if (registrations() !== before || assigned.origin !== "stored") throw untrue("a restart needs no DPS");
  timeline.add("restart", `connected to ${hub} from the ${assigned.origin} assignment; DPS was not asked`);
  await agent.stop();
}
