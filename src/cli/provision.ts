import { Agent } from "../agent/agent.ts";
import { loadSettings } from "../config/load.ts";
import { LandfallError } from "../errors.ts";
import { type Command, configOption, jsonOption, textOption } from "./command.ts";

/** `landfall provision`: registers once. */
export const provision: Command = {
  name: "provision",
  description: "Registers with DPS once, prints the assignment and stores it for `landfall run`.",
  options: { ...configOption, ...jsonOption },
  async run({ options, env, terminal, signal, logger }) {
    const file = textOption(options, "config");
    const { settings, warnings } = await loadSettings({ env, ...(file === undefined ? {} : { file }) });
    if (settings.provisioning.source !== "dps") {
      throw new LandfallError(
        "cli.usage",
        'provision: the configuration has source = "manual"; there is no DPS to ask',
      );
    }
    const log = logger(settings.log.level);
    for (const warning of warnings) log.warn(warning);
    await using agent = await Agent.fromSettings(settings, { log });
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
