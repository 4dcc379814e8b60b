import { Emulator } from "../../emulator/index.ts";
import { AgentProcess } from "./agent-process.ts";
import { writeConfiguration } from "./device-files.ts";
import type { Identity, IdentityKind } from "./identity/identity.ts";
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
export async function firstAct(kind: IdentityKind, stage: Stage): Promise<void> {
  const { timeline, directory, signal } = stage;
  timeline.chapter("A new device finds its hub");
  await using emulator = await Emulator.start({ hubs: ["demo-hub-a", "demo-hub-b"], retryAfterSeconds: 1 });
  const { mqttPort, hubs } = emulator.ready;
  timeline.add("emulator", `DPS and ${hubs.length} hubs on 127.0.0.1:${mqttPort}, names as in Azure`);
  await using identity = await kind.make({ emulator, registrationId, directory, signal });
  timeline.add("credential", identity.told);

  const device = { emulator, identity, configFile: await writeConfiguration({ emulator, identity, directory }) };
  const hub = await serve(device, stage);
  await restart(device, hub, stage);
}

interface FirstDevice {
  readonly emulator: Emulator;
  readonly identity: Identity;
  readonly configFile: string;
}

/** The first life of the agent's process. Returns the name of its hub. */
async function serve({ emulator, identity, configFile }: FirstDevice, stage: Stage): Promise<string> {
  const { timeline, signal } = stage;
  await using agent = new AgentProcess(configFile, identity.env);
  const endpoint = await agent.event("endpoint", { signal });
  timeline.add("endpoint", `${endpoint.host} (${endpoint.reason})`);
  const assigned = await agent.event("assigned", { signal });
  if (assigned.origin !== "provisioned") throw untrue("a new device asks DPS");
  timeline.add("registration", `${assigned.substatus}, ${wayThroughDps(emulator)}: ${assigned.hub}`);
  const connected = await agent.event("connected", { signal });
  const hub = String(connected.hub);
  timeline.add("hub", `connected to ${hub} as ${connected.deviceId}, ${provenBy(identity, emulator)}`);
  await converse(emulator, hub, agent, stage);
  await loseAndRecover(emulator, hub, agent, stage);
  await agent.stop();
  return hub;
}

/** What the registration took, by what DPS has seen. */
function wayThroughDps({ events }: Emulator): string {
  const registers = events.of("dps.register");
  const challenges = registers.filter(({ status }) => status === 401).length;
  const polls = events.of("dps.poll").length;
  const challenged = challenges === 0 ? "" : `${counted(challenges, "challenge")} and `;
  return `over ${registers[0]?.transport}, after ${challenged}${counted(polls, "poll")}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** How the device came in, if that is what the hub has seen. */
function provenBy({ credential, proof }: Identity, { events }: Emulator): string {
  const came = events.of("hub.connected").at(-1);
  if (came?.credential === credential) return proof;
  throw untrue(`the device shows the hub its ${credential}, not ${came?.credential}`);
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
  { emulator, identity, configFile }: FirstDevice,
  hub: string,
  { timeline, signal }: Stage,
): Promise<void> {
  timeline.chapter("It starts again");
  const registrations = (): number => emulator.events.all.filter(({ kind }) => kind === "dps.register").length;
  const before = registrations();
  await using agent = new AgentProcess(configFile, identity.env);
  const assigned = await agent.event("assigned", { signal });
  await agent.event("connected", { signal });
  if (registrations() !== before || assigned.origin !== "stored") throw untrue("a restart needs no DPS");
  timeline.add("restart", `connected to ${hub} from the ${assigned.origin} assignment; DPS was not asked`);
  await agent.stop();
}
