import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeMcuImage, openLine, SimulatedMcu } from "../../../firmware-sim/index.ts";
import { renderTemplate } from "../../config/template.ts";
import { Emulator } from "../../emulator/index.ts";
import { isJsonObject, type JsonObject } from "../../json.ts";
import { AgentProcess } from "./agent-process.ts";
import { type Stage, untrue } from "./stage.ts";

/** What has to happen in the act with the microcontroller. */
export const mcuSteps = [
  "mcu on a serial port",
  "key in the mcu",
  "mcu telemetry",
  "mcu method",
  "mcu setting",
  "mcu unplugged",
  "mcu back",
  "mcu updated",
  "bad image taken back",
] as const;

const registrationId = "demo-press-09";

/** A device whose identity is in a microcontroller, which talks to the cloud and is updated through its gateway. */
export async function mcuAct(stage: Stage): Promise<void> {
  const { timeline } = stage;
  timeline.chapter("A microcontroller holds the key of a third device");
  const directory = join(stage.directory, registrationId);
  await mkdir(join(directory, "firmware"), { recursive: true });
  await using emulator = await Emulator.start({ hubs: ["demo-hub"], assigningPolls: 0 });
  using mcu = new SimulatedMcu({ identity: { registrationId }, seed: 9 });
  const attach: Parameters<typeof openLine>[0] = (line) => mcu.attach(line);
  const place = { kind: "terminal", link: join(directory, "ttyMCU") } as const;
  let line = await openLine(attach, place);
  try {
    timeline.add("mcu on a serial port", `a simulated one, firmware ${mcu.version}, at a pseudo terminal`);
    const attestation = { method: "symmetric_key", primaryKey: mcu.symmetricKey ?? "" } as const;
    emulator.dps.enroll({ registrationId, attestation });
    await using agent = new AgentProcess(await writeConfiguration(emulator, directory, line.address));
    await agent.event("connected", stage);
    timeline.add("key in the mcu", "it wrote the tokens for DPS and for the hub; the gateway has no key");
    await talk(emulator, stage);
    await line.close();
    await agent.event("mcu-disconnected", stage);
    timeline.add("mcu unplugged", "the agent waits for it and stays connected to the hub");
    line = await openLine(attach, place);
    await agent.event("mcu-connected", stage);
    timeline.add("mcu back", "it goes on where it was");
    await update(emulator, join(directory, "firmware"), stage);
    if (emulator.hub().connections.length !== 1) throw untrue("the hub connection lasted");
    await agent.stop();
  } finally {
    await line.close();
  }
}

async function writeConfiguration(emulator: Emulator, directory: string, port: string): Promise<string> {
  const file = join(directory, "landfall.toml");
  const configuration = renderTemplate({
    provisioning: {
      source: "dps",
      id_scope: emulator.ready.idScope,
      attestation: { method: "symmetric_key", registration_id: registrationId, symmetric_key: "mcu:" },
    },
    mcu: { port, firmware_directory: join(directory, "firmware") },
    network: { trust_bundle: emulator.ready.caFile, connect_to: [...emulator.connectTo] },
    telemetry: { interval: 0 },
    state: { directory: join(directory, "state") },
  });
  await writeFile(file, configuration, { mode: 0o600 });
  return file;
}

async function talk(emulator: Emulator, { timeline, signal }: Stage): Promise<void> {
  const hub = emulator.hub();
  for await (const message of hub.telemetry({ signal })) {
    timeline.add("mcu telemetry", `${message.messageId}: ${message.text()}`);
    break;
  }
  await reported(emulator, ({ connected }) => connected === true, signal);
  const answer = await hub.invokeMethod(registrationId, "blink", { times: 3 }, { signal });
  if (answer.status !== 200) throw untrue(`the MCU answers 200, not ${JSON.stringify(answer)}`);
  timeline.add("mcu method", `blink three times → ${answer.status} ${JSON.stringify(answer.payload)}`);
  hub.updateDesired(registrationId, { mcu: { led: { brightness: 80 } } });
  const { led } = await reported(emulator, (mcu) => mcu.led !== undefined, signal);
  timeline.add("mcu setting", `desired led.brightness → reported ${JSON.stringify(led)}`);
}

async function update(emulator: Emulator, folder: string, { timeline, signal }: Stage): Promise<void> {
  timeline.chapter("And is updated");
  const order = async (file: string, image: Uint8Array): Promise<JsonObject> => {
    await writeFile(join(folder, file), image);
    const sha256 = createHash("sha256").update(image).digest("hex");
    const { status } = await emulator.hub().invokeMethod(registrationId, "updateMcu", { file, sha256 }, { signal });
    if (status !== 202) throw untrue(`the update is taken on, not answered with ${status}`);
    const { update } = await reported(emulator, (mcu) => isOver(mcu.update, file), signal);
    return update as JsonObject;
  };
  const good = await order("good.bin", makeMcuImage({ version: "1.1.0" }));
  if (good.state !== "updated") throw untrue(`the update succeeds, not ${JSON.stringify(good)}`);
  timeline.add("mcu updated", `from ${good.from} to ${good.version}: uploaded, tried, confirmed`);
  const bad = await order("bad.bin", makeMcuImage({ version: "1.2.0", start: "crashes" }));
  if (bad.state !== "failed") throw untrue(`an image that crashes is taken back, not ${JSON.stringify(bad)}`);
  timeline.add("bad image taken back", JSON.stringify(bad.error));
}

function isOver(update: unknown, file: string): boolean {
  return isJsonObject(update) && update.file === file && ["updated", "failed"].includes(String(update.state));
}

/** What the twin reports of the MCU, as soon as it fits. */
async function reported(
  emulator: Emulator,
  fits: (mcu: JsonObject) => boolean,
  signal: AbortSignal,
): Promise<JsonObject> {
  for await (const { kind } of emulator.events.watch({ signal })) {
    if (kind !== "hub.reported") continue;
    const { mcu } = emulator.hub().twin(registrationId).reported;
    if (isJsonObject(mcu) && fits(mcu)) return mcu;
  }
  throw untrue("the device reports what becomes of its MCU");
}
