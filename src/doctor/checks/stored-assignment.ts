import { defineCheck } from "../check.ts";
import { isFor } from "../own-assignment.ts";
import { saidBy } from "../words.ts";

/** What is left of an earlier registration, and whether it is worth anything to this device. */
export const storedAssignment = defineCheck({
  id: "state.assignment",
  group: "state",
  title: "Stored assignment",
  does: "Reads the stored assignment and leaves it as it is. Contacts nothing.",
  dependsOn: ["config.valid"],
  failures: {
    corrupt: {
      status: "warning",
      when: "The file does not hold an assignment.",
      cause: "A full disk, a power cut on a file system without journal, or somebody edited it.",
      remedy: "Nothing to do: the agent sets the file aside and asks DPS. If it comes again, look at the disk.",
    },
    "for-another": {
      status: "warning",
      when: "The assignment was made for another id scope or registration id.",
      cause: "The configuration was changed, or the state directory was copied from another device.",
      remedy: "Nothing to do: the agent asks DPS. A state directory that is shared by two devices needs to be split.",
    },
    unreadable: {
      status: "failed",
      when: "The file cannot be read.",
      cause: "The agent, or a command of it, ran as another user before.",
      remedy: "Give the state directory to the agent's user, or name another with [state] directory.",
    },
  },
  async run(context, { found }) {
    const { provisioning, state } = context.settings;
    if (provisioning.source !== "dps") return { skipped: "the hub is given by hand" };
    try {
      const stored = await context.assignment();
      if (stored.state === "none") return { summary: "nothing is stored yet", data: { stored: false } };
      if (stored.state === "corrupt") {
        const text = `there is no assignment in ${state.directory}/assignment.json`;
        return { summary: "unusable", findings: [found("corrupt", { text })] };
      }
      const { assignedHub, substatus } = stored.assignment;
      const id = await context.attestation().then(
        ({ attestation }) => attestation.registrationId,
        () => undefined,
      );
      const isOurs = isFor(stored, provisioning.idScope, id);
      const text = `the stored assignment to ${assignedHub} is for ID scope ${stored.binding.idScope} and another device or scope`;
      return {
        summary: `assigned to ${assignedHub}`,
        findings: isOurs ? [] : [found("for-another", { text })],
        data: { stored: true, isOurs, assignedHub, ...(substatus === undefined ? {} : { substatus }) },
      };
    } catch (error) {
      return { summary: "cannot be read", findings: [found("unreadable", { text: saidBy(error) })] };
    }
  },
});
