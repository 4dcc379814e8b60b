import type { EndpointEvidence } from "../../endpoint/evidence.ts";
import type { ServerAnswer } from "../../endpoint/server-answer.ts";
import { type CheckCall, defineCheck } from "../check.ts";
import type { Finding } from "../result.ts";

const failures = {
  none: {
    status: "failed",
    when: "No name server is configured on this machine.",
    cause: "The network is not up, or nothing has written the resolver's configuration.",
    remedy: "Bring the network up, or name the servers in [network] name_servers.",
  },
  "all-silent": {
    status: "failed",
    when: "No configured name server gives a usable answer.",
    cause:
      "The network is down, or the servers belong to a network that this device has left. 168.63.129.16 answers only inside an Azure virtual network.",
    remedy: "Ask whoever runs the network for its name servers, and for UDP and TCP port 53 to them.",
  },
  silent: {
    status: "warning",
    when: "One configured name server gives no usable answer; others do.",
    cause: "The server is down or out of reach, or is meant for another network.",
    remedy:
      "Repair it, or remove it from this machine's configuration: what it would say remains unknown, and answers take longer.",
  },
} as const;

/** Whether each configured name server answers. */
export const nameServers = defineCheck({
  id: "dns.servers",
  group: "dns",
  title: "Name servers",
  does: "Asks every configured name server for the names of DPS, or of the hub if there is no DPS. Sends DNS queries only.",
  dependsOn: ["config.valid"],
  failures,
  async run(context, { found }) {
    const subject = (await context.subject("dps")) ?? (await context.subject("hub"));
    if (subject === undefined) return { skipped: "there is no name to ask for" };
    const { evidence } = subject;
    const [first] = evidence.names;
    if (first === undefined) return { skipped: "there is no name to ask for" };
    if (evidence.names.every(({ connectTo }) => connectTo !== undefined)) {
      return { skipped: "rules of connect_to decide where connections lead, not DNS" };
    }
    const views = first.servers.map((server) => viewOf(server, evidence));
    const usable = views.filter(({ answers }) => answers.some(isUsable));
    return {
      summary:
        views.length === 0
          ? "none is configured"
          : `${usable.length} of ${views.length} answer: ${first.servers.join(", ")}`,
      findings: findingsOf(views, usable.length, found),
      evidence: views.map(({ server, answers }) => `${server}: ${wordsFor(answers)}`),
      data: { servers: views.map(({ server, answers }) => ({ server, failures: failuresOf(answers) })) },
      stops: false,
    };
  },
});

interface View {
  readonly server: string;
  readonly answers: readonly ServerAnswer[];
}

/** A server whose answers are cut is there; what is cut off has a finding of its own. */
function isUsable({ failure }: ServerAnswer): boolean {
  return failure === undefined || failure === "cut";
}

function viewOf(server: string, { names }: EndpointEvidence): View {
  return { server, answers: names.flatMap((name) => name.answers.filter((answer) => answer.server === server)) };
}

function findingsOf(
  views: readonly View[],
  usable: number,
  found: CheckCall<keyof typeof failures>["found"],
): Finding[] {
  if (views.length === 0) return [found("none", { text: "there is no name server to ask" })];
  const lost = views.filter(({ answers }) => !answers.some(isUsable));
  const text = lost.map(({ server, answers }) => `${server}: ${wordsFor(answers)}`).join("; ");
  if (lost.length === 0) return [];
  return [found(usable === 0 ? "all-silent" : "silent", { text })];
}

function failuresOf(answers: readonly ServerAnswer[]): string[] {
  return [...new Set(answers.flatMap(({ failure }) => failure ?? []))];
}

function wordsFor(answers: readonly ServerAnswer[]): string {
  const conclusive = answers.filter(({ failure }) => failure === undefined).length;
  const lost = failuresOf(answers);
  return `${conclusive} of ${answers.length} answers${lost.length === 0 ? "" : ` (${lost.join(", ")})`}`;
}
