import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../clock.ts";
import { EmulatedWorld, Estate, type Place } from "../../emulator/index.ts";
import { memoryFile } from "../../endpoint/network-memory-store.ts";
import type { PrintedEvent } from "../event-lines.ts";
import { AgentProcess } from "./agent-process.ts";
import { type DeviceFiles, writeConfiguration } from "./device-files.ts";
import { x509 } from "./identity/x509.ts";
import { runOurselves } from "./run-ourselves.ts";
import { type Stage, untrue } from "./stage.ts";

/** What has to happen in the second act. */
export const secondSteps = [
  "public internet",
  "private network",
  "private path remembered",
  "outside again",
  "change accepted",
  "global endpoint again",
] as const;

const registrationId = "demo-press-08";
const dpsHost = "demo-dps.azure-devices-provisioning.net";
const globalHost = "global.azure-devices-provisioning.net";

/** A device with an X.509 certificate moves from the public internet into a private network, and out again. */
export async function secondAct(stage: Stage): Promise<void> {
  const { timeline, signal } = stage;
  timeline.chapter("A second device, with a certificate and its key in files, is carried into a private network");
  const estate = new Estate();
  const services = [estate.create("dps", "demo-dps", { idScope: "0ne00DEM002" }), estate.create("hub", "demo-hub")];
  await using emulated = await EmulatedWorld.start({ estate, assigningPolls: 0 });
  const { emulator, world } = emulated;
  const place = await world.place("public");
  const directory = join(stage.directory, registrationId);
  await mkdir(directory);
  await using identity = await x509.make({ emulator, registrationId, directory, signal });
  const device: SecondDevice = { files: { emulator, identity, directory }, place };

  const outside = await live(device, stage);
  timeline.add("public internet", told(leadingTo(outside, globalHost, "public-only")));

  const endpoints = services.map((service) => world.privateEndpoint(service));
  await place.move("vnet");
  const inside = await live(device, stage, () => remembers(device, stage));
  timeline.add("private network", told(leadingTo(inside, dpsHost, "private-endpoint")));
  timeline.add("private path remembered", `${memoryFile} names ${dpsHost} and the hub`);

  timeline.chapter("And out again");
  for (const endpoint of endpoints) endpoint.delete();
  await place.move("public");
  const before = place.arrivals.length;
  const moved = leadingTo(await live(device, stage), dpsHost, "private-downgrade");
  const [global] = estate.globalHosts;
  const arrivals = place.arrivals.slice(before);
  if (arrivals.some(({ address }) => address === global?.publicAddress))
    throw untrue("nobody dials the global endpoint");
  timeline.add("outside again", `${told(moved)}; the global endpoint is barred, for the path was private`);
  timeline.add("change accepted", `landfall endpoint --forget: ${await forget(device, stage)}`);
  const accepted = await live(device, stage);
  timeline.add("global endpoint again", told(leadingTo(accepted, globalHost, "public-only")));
}

interface SecondDevice {
  readonly files: DeviceFiles;
  readonly place: Place;
}

/** One life of the agent, from the question to DPS to the hub session. Returns the way to DPS that it told of. */
async function live(
  { files, place }: SecondDevice,
  { signal }: Stage,
  meanwhile?: () => Promise<void>,
): Promise<PrintedEvent> {
  const configFile = await writeConfiguration(files, {
    provisioning: { dps_name: "demo-dps", always_reprovision_on_startup: true },
    network: { name_servers: [...place.nameServers], connect_to: [...place.connectTo] },
  });
  await using agent = new AgentProcess(configFile);
  const endpoint = await agent.event("endpoint", { signal });
  await agent.event("connected", { signal });
  await meanwhile?.();
  await agent.stop();
  return endpoint;
}

/** The way, if it leads there for this reason. */
function leadingTo(endpoint: PrintedEvent, host: string, reason: string): PrintedEvent {
  if (endpoint.host === host && endpoint.reason === reason) return endpoint;
  throw untrue(`the device dials ${host} (${reason}), not ${endpoint.host} (${endpoint.reason})`);
}

function told({ host, addresses, reason }: PrintedEvent): string {
  return `${host} at ${addresses} (${reason})`;
}

/** Waits until the private paths are on the disk; they are written once the sessions are up. */
async function remembers({ files }: SecondDevice, { signal }: Stage): Promise<void> {
  const path = join(files.directory, "state", memoryFile);
  const isRemembered = async (): Promise<boolean> =>
    (await readFile(path, "utf8").catch(() => "")).includes("demo-hub.azure-devices.net");
  while (!(await isRemembered())) await systemClock.sleep(20, { signal });
}

/** What an owner does who has moved a device for good. */
async function forget({ files }: SecondDevice, { signal }: Stage): Promise<string> {
  const said = await runOurselves(["endpoint", "--forget", "-c", join(files.directory, "landfall.toml")], { signal });
  return said.trim();
}
