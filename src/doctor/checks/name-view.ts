import { evidenceFor } from "../../endpoint/evidence.ts";
import { evidenceLines } from "../../endpoint/explain.ts";
import type { NameFacts } from "../../endpoint/name-facts.ts";
import { type Check, defineCheck } from "../check.ts";
import type { Subject } from "../context.ts";
import { type ServiceName, services } from "../service.ts";
import { sightOf } from "../sight.ts";
import { nameFailures } from "./name-failures.ts";
import { judgeName } from "./name-judgement.ts";

/** What DNS, the system and the hosts file say about the name of a service. */
export function nameView(service: ServiceName): Check {
  const { title, named } = services[service];
  return defineCheck({
    id: `dns.${service}`,
    group: "dns",
    title: `Name of ${title}`,
    does: "Asks every configured name server for the whole answer, aliases included, and holds the answers against each other, the system's resolver and the hosts file. Sends DNS queries only.",
    dependsOn: [named],
    failures: nameFailures,
    async run(context, { found }) {
      const subject = await context.subject(service);
      if (subject === undefined) return { skipped: `no name of ${title} is known` };
      const { host, evidence } = subject;
      const seen = host === undefined ? undefined : evidenceFor(evidence, host);
      if (host === undefined || seen === undefined) return { skipped: "no name was looked up" };
      const sight = sightOf(host, context.endpoint, evidence);
      const view = { settings: context.endpoint, evidence };
      const decider = otherDecider(subject);
      return {
        summary: decider ?? summaryOf(sight),
        findings: decider === undefined ? judgeName(sight, services[service], found) : [],
        evidence: evidence.names.flatMap((name) => evidenceLines(view, name).map((line) => `${name.host}: ${line}`)),
        data: dataOf(sight),
        stops: false,
      };
    },
  });
}

/** Who looks the name up in our place; what DNS says here has no bearing then. */
function otherDecider({ decision, evidence }: Subject): string | undefined {
  if (decision.kind === "none" || decision.addresses !== undefined) return undefined;
  const seen = evidenceFor(evidence, decision.host ?? "");
  if (seen?.connectTo !== undefined) return `the rule connect_to = "${seen.connectTo.rule}" decides, not DNS`;
  return seen?.proxy.applies ? `${seen.proxy.proxy} looks the name up itself` : undefined;
}

function summaryOf({ host, vetted, publicAddresses, observations, notFound }: NameFacts): string {
  if (vetted.length > 0) return `${host} is private here: ${vetted.join(", ")}`;
  if (publicAddresses.length > 0) return `${host} is public: ${publicAddresses.join(", ")}`;
  if (observations.length > 0) return `${host} leads nowhere a service could be`;
  return notFound ? `${host} does not exist` : `no address of ${host} could be had`;
}

function dataOf({ host, vetted, publicAddresses, privatelinkNames, knownPrivate, gaps }: NameFacts) {
  return { host, private: vetted, public: publicAddresses, privatelinkNames, knownPrivate, gaps };
}
