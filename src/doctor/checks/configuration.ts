import type { LandfallError } from "../../errors.ts";
import { defineCheck, findingOf } from "../check.ts";
import { keyFilesOf } from "../key-files.ts";
import type { CheckResult } from "../result.ts";

/** Whether the configuration can be read and is valid. Without it nothing else can be looked at. */
export const configuration = defineCheck({
  id: "config.valid",
  group: "config",
  title: "Configuration file",
  does: "Reads the configuration and the files that it names, and validates them. Contacts nothing.",
  dependsOn: [],
  failures: {
    invalid: {
      status: "failed",
      when: "The configuration cannot be found, read or understood; every fault is listed with its path.",
      cause: "A setting is misspelt, missing or contradicts another, or a file that it names is not there.",
      remedy: "Correct the listed settings.",
    },
    warned: {
      status: "warning",
      when: "The configuration works, but says something that is better known.",
      cause: "A setting that is open to misuse, or that has no effect.",
      remedy: "Correct the setting that the text names.",
    },
  },
  async run({ file, warnings, settings }, { found }) {
    // The modes of key files have a check of their own.
    const told = (await keyFilesOf(settings)).map(({ remedy }) => remedy);
    const others = warnings.filter((warning) => !told.some((remedy) => warning.endsWith(remedy)));
    const findings = others.map((text) => found("warned", { text }));
    return { summary: `${file} is valid`, findings, data: { file } };
  },
});

/** The result of {@link configuration} when there is no configuration to go on with. */
export function configurationFailure({ code, message, details, remedy }: LandfallError): CheckResult {
  const { id, group, title } = configuration;
  return {
    id,
    group,
    title,
    status: "failed",
    summary: message,
    findings: [findingOf(configuration, "invalid", { text: message, remedy })],
    evidence: details,
    data: { code },
    durationMs: 0,
  };
}
