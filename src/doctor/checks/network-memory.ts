import { defineCheck } from "../check.ts";
import type { Subject } from "../context.ts";

/** What is remembered of private paths, and whether the present ones hold up to it. */
export const networkMemory = defineCheck({
  id: "state.memory",
  group: "state",
  title: "Network memory",
  does: "Reads what this device remembers of private paths and holds the present decisions against it. Sends DNS queries only.",
  dependsOn: ["config.valid"],
  follows: ["endpoint.dps", "hub.name", "endpoint.hub"],
  failures: {
    damaged: {
      status: "warning",
      when: "The memory cannot be read. It is written only once a path was private.",
      cause: "A full disk, a power cut, or another user's file.",
      remedy: "Run `landfall endpoint --forget` once the present path is the right one.",
    },
    downgrade: {
      status: "warning",
      when: "A service was reached over a private path before, and is not now.",
      cause: "The device was moved, the VPN is down, or the zone link or forwarder is gone.",
      remedy:
        "Check the VPN, the zone link and the forwarder. If the change is meant, run `landfall endpoint --forget`.",
    },
  },
  async run(context, { found }) {
    const { sightings, damaged } = context.memory;
    const subjects = await Promise.all([context.subject("dps"), context.subject("hub")]);
    return {
      summary: sightings.length === 0 ? "no private path was ever used" : `${sightings.length} private paths`,
      findings: [
        ...(damaged ? [found("damaged", { text: "the network memory cannot be read in full" })] : []),
        ...subjects.flatMap((subject) => downgradesOf(subject).map((text) => found("downgrade", { text }))),
      ],
      evidence: sightings.map(
        ({ host, addresses, firstSeen, lastSeen }) =>
          `${host} at ${addresses.join(", ")}, from ${new Date(firstSeen).toISOString()} to ${new Date(lastSeen).toISOString()}`,
      ),
      data: { sightings: sightings.length, damaged },
      stops: false,
    };
  },
});

function downgradesOf(subject: Subject | undefined): string[] {
  if (subject === undefined) return [];
  const { reason, text, warnings } = subject.decision;
  const unused = warnings.filter(({ code }) => code === "private-path-unused").map((warning) => warning.text);
  return reason === "private-downgrade" ? [text] : unused;
}
