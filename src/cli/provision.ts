import { Agent } from "../agent/agent.ts";
import { loadSettings } from "../config/load.ts";
import { LandfallError } from "../errors.ts";
import { type Command, configOption, jsonOption, textOption } from "./command.ts";
import { errorReport, exitCodeFor } from "./error-report.ts";

/** `landfall provision`: registers once. */
export const provision: Command = {
  name: "provision",
  description:
    "Registers with DPS once, prints the assignment and stores it for `landfall run`. Exits 1 when it cannot be stored, " +
    "and prints it all the same.",
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
    let notStored: Error | undefined;
    agent.on("not-stored", ({ error }) => {
      notStored = error;
    });
    const { assignedHub, deviceId, substatus, payload } = await agent.provision({ signal });
    if (options.json === true) {
      const stored = notStored === undefined;
      const result = { schema: "landfall.assignment/1", assignedHub, deviceId, substatus, payload, stored };
      terminal.out.write(`${JSON.stringify(result)}\n`);
    } else {
      terminal.out.write(`${deviceId} is assigned to ${assignedHub}\n`);
    }
    if (notStored === undefined) return 0;
    terminal.err.write(errorReport(notStored, terminal.err));
    return exitCodeFor(notStored);
  },
};
