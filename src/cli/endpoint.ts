import { join } from "node:path";
import { systemClock } from "../clock.ts";
import { loadSettings } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import { EndpointFinder } from "../endpoint/endpoint-finder.ts";
import { evidenceSources } from "../endpoint/evidence-sources.ts";
import { type ExplainedDecision, explainJson, explainLines } from "../endpoint/explain.ts";
import { memoryFile, NetworkMemoryStore } from "../endpoint/network-memory-store.ts";
import { StateFile } from "../state-file.ts";
import { manners } from "../transport/manners.ts";
import { type Command, configOption, type ExitCode, type Invocation, jsonOption, textOption } from "./command.ts";

/** `landfall endpoint`: explains the choice. */
export const endpoint: Command = {
  name: "endpoint",
  description:
    "Explains which endpoint would be used now, and why: the decision, every piece of evidence, and what to do where a " +
    "way is barred. Sends DNS queries only. Exits 1 when nothing may be dialled.",
  options: {
    ...configOption,
    hub: { type: "string", value: "HOST", help: "explain the way to this hub instead of the one to DPS" },
    forget: {
      type: "boolean",
      help: "forget which paths were private: the device has left its private network for good",
    },
    ...jsonOption("landfall.endpoint/1; of --forget, landfall.endpoint-forgotten/1"),
  },
  async run(invocation) {
    const { options, env } = invocation;
    const file = textOption(options, "config");
    const { settings } = await loadSettings({ env, ...(file === undefined ? {} : { file }) });
    const memory = new NetworkMemoryStore(new StateFile(join(settings.state.directory, memoryFile)));
    if (options.forget === true) return forget(memory, invocation);
    const { provisioning, network } = settings;
    const finder = new EndpointFinder({
      settings: provisioning.endpoint,
      sources: (manner) => evidenceSources(network, manner, systemClock),
      memory,
      clock: systemClock,
    });
    return print(await find(finder, settings, invocation), invocation);
  },
};

async function find(
  finder: EndpointFinder,
  { provisioning, hub }: Settings,
  { options, signal }: Invocation,
): Promise<ExplainedDecision> {
  const named = textOption(options, "hub");
  if (provisioning.source === "manual")
    return finder.hub(named ?? provisioning.iothubHostname, manners[hub.transport], { signal });
  const dps = await finder.dps(manners[provisioning.transport], { signal });
  return named === undefined ? dps : finder.hub(named, manners[hub.transport], { signal });
}

function print(explained: ExplainedDecision, { options, terminal: { out } }: Invocation): ExitCode {
  if (options.json === true) out.write(`${JSON.stringify(explainJson(explained))}\n`);
  else out.write(`${explainLines(explained).join("\n")}\n`);
  return explained.decision.kind === "none" ? 1 : 0;
}

async function forget(memory: NetworkMemoryStore, { options, terminal }: Invocation): Promise<ExitCode> {
  const { sightings, damaged } = await memory.load();
  if (sightings.length > 0 || damaged) await memory.forget();
  const hosts = sightings.map(({ host }) => host);
  if (options.json === true) {
    terminal.out.write(`${JSON.stringify({ schema: "landfall.endpoint-forgotten/1", hosts, damaged })}\n`);
  } else {
    terminal.out.write(hosts.length === 0 ? "nothing was remembered\n" : `forgotten: ${hosts.join(", ")}\n`);
  }
  return 0;
}
