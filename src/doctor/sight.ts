import type { ClassifyContext } from "../endpoint/address-class.ts";
import type { EndpointSettings } from "../endpoint/endpoint-settings.ts";
import { type EndpointEvidence, evidenceFor } from "../endpoint/evidence.ts";
import { parseCidr } from "../endpoint/ip-address.ts";
import { type NameFacts, readFacts } from "../endpoint/name-facts.ts";
import { parsePrivateCidrs } from "../endpoint/private-cidrs.ts";

/** What classes addresses in this evidence under these settings. */
export function classifyContext(settings: EndpointSettings, evidence: EndpointEvidence): ClassifyContext {
  return {
    privateCidrs: parsePrivateCidrs(settings.privateCidrs).cidrs,
    nat64Prefixes: evidence.nat64Prefixes.flatMap((text) => parseCidr(text) ?? []),
  };
}

/** What the evidence shows of a name. */
export function sightOf(host: string, settings: EndpointSettings, evidence: EndpointEvidence): NameFacts {
  return readFacts(host, evidenceFor(evidence, host), classifyContext(settings, evidence));
}
