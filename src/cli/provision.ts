import { Agent } from "../agent/agent.ts";
import { loadSettings } from "../config/load.ts";
import { LandfallError } from "../errors.ts";
import { type Command, configOption, jsonOption, textOption } from "./command.ts";

/** `landfall provision`: registers once. */
export const provision: Command = {
  name: "provision",
  description: "Registers with DPS once, prints the assignment and stores it for `landfall run`.",
  options: { ...configOption, ...jsonOption("landfall.assignment/1") },
  async run({ options, env, terminal, signal, logger }) {
    const file = textOption(options, "config");
    const loaded = await loadSettings({ env, ...(file === undefined ? {} : { file }) });
    const { provisioning, log: logSettings } = loaded.settings;
    if (provisioning.source !== "dps") {
      throw new LandfallError(
        "cli.usage",
        'provision: the configuration has source = "manual"; there is no DPS to ask',
      );
    }
    await using agent = await Agent.fromSettings(loaded, { log: logger(logSettings.level) });
    const { assignedHub, deviceId, substatus, payload } = await agent.provision({ signal });
    if (options.json === true) {
      const result = { schema: "landfall.assignment/1", assignedHub, deviceId, substatus, payload };
      terminal.out.write(`${JSON.stringify(result)}\n`);
    } else {
      terminal.out.write(`${deviceId} is assigned to ${assignedHub}\n`);
    }
    return 0;
  },
};
