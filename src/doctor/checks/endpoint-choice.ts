import type { EndpointDecision } from "../../endpoint/endpoint-decision.ts";
import { isStrict } from "../../endpoint/endpoint-settings.ts";
import type { ReasonCode } from "../../endpoint/reasons.ts";
import type { WarningCode } from "../../endpoint/warnings.ts";
import { type Check, type CheckCall, defineCheck, type Failure } from "../check.ts";
import type { Finding } from "../result.ts";
import { type ServiceName, services } from "../service.ts";

const failures = {
  refused: {
    status: "failed",
    when: "The settings and the network together leave nothing that may be dialled.",
    cause: "The reason of the decision tells; `landfall endpoint` shows every piece of evidence.",
    remedy: "What the decision advises.",
  },
  "public-path": {
    status: "warning",
    when: "A public address is dialled although something private is known, or was, or cannot be ruled out.",
    cause: "The reason of the decision tells; `landfall endpoint` shows every piece of evidence.",
    remedy: "What the decision advises.",
  },
  "last-good-address": {
    status: "warning",
    when: "DNS gives no complete answer, and an address is dialled that was good within a day.",
    cause: "A name server is down or out of reach.",
    remedy: "Repair the name servers: after a day the address is no longer used.",
  },
  "dps-name-from-memory": {
    status: "warning",
    when: "The name of the DPS is taken from memory, because the settings lack it.",
    cause: "The setting `dps_name` was taken out of the settings, or another file is used.",
    remedy: "Set `dps_name`.",
  },
  "global-despite-private": {
    status: "warning",
    when: "The settings name the global endpoint although a private endpoint is known.",
    cause: "An older configuration, or one for another network.",
    remedy: "Remove `endpoint` from the settings, so that the private endpoint is used.",
  },
  "global-not-public": {
    status: "warning",
    when: "The global endpoint leads to an address that is not public.",
    cause: "Likely a filter, a proxy or a private zone answers in Azure's place.",
    remedy: "Ask whoever runs the name servers.",
  },
  "mixed-answers": {
    status: "warning",
    when: "A public address was given beside the private one; it is never dialled.",
    cause: "Name servers of different networks are configured side by side.",
    remedy:
      "Ask whoever runs the name servers: inside the virtual network all of them should give the private address only.",
  },
  "hub-not-private": {
    status: "warning",
    when: "DPS is reached over a private path, and the hub is not.",
    cause: "The hub has no private endpoint of its own, or its zone is not linked to this network.",
    remedy:
      "Ask the owner of the hub for a private endpoint (sub-resource iotHub), with its zone linked to this network.",
  },
} as const;

type ChoiceFailure = keyof typeof failures;

/** What only a choice for DPS, or only one for the hub, can come to. */
const failuresOfOne: Readonly<Partial<Record<ChoiceFailure, ServiceName>>> = {
  "dps-name-from-memory": "dps",
  "global-despite-private": "dps",
  "global-not-public": "dps",
  "hub-not-private": "hub",
};

function failuresOf(service: ServiceName): Readonly<Record<string, Failure>> {
  const own = Object.entries(failures).filter(([code]) => {
    const { [code as ChoiceFailure]: only = service } = failuresOfOne;
    return only === service;
  });
  return Object.fromEntries(own);
}

/** Reasons that lead over a public path without anything private in sight. */
const plainlyPublic: readonly ReasonCode[] = [
  "public-only",
  "hub-public",
  "explicit",
  "explicit-global",
  "no-dps-name",
  "service-requested",
  "global-fallback",
];

/** The warnings of a decision that are this check's; others have a check of their own. */
const ownWarnings = [
  "global-despite-private",
  "global-not-public",
  "dps-name-from-memory",
  "mixed-answers",
  "hub-not-private",
  "last-good-address",
] as const satisfies readonly (WarningCode & ChoiceFailure)[];

/** The decision where to dial, as the agent would make it now. */
export function endpointChoice(service: ServiceName): Check {
  const { title, named } = services[service];
  return defineCheck({
    id: `endpoint.${service}`,
    group: "endpoint",
    title: `Choice of a way to ${title}`,
    does: "Decides as the agent does, from settings, evidence and network memory, which host and addresses would be dialled. Sends DNS queries only.",
    dependsOn: [named],
    failures: failuresOf(service),
    async run(context, { found }) {
      const subject = await context.subject(service);
      if (subject === undefined) return { skipped: `no name of ${title} is known` };
      const { decision } = subject;
      return {
        summary: summaryOf(decision, service),
        findings: findingsOf(decision, found),
        evidence: [
          `${decision.reason}, row ${decision.row} of the decision table`,
          ...(plainlyPublic.includes(decision.reason) && decision.advice !== "" ? [decision.advice] : []),
          ...decision.warnings.map(({ code, text }) => `${code}: ${text}`),
        ],
        data: {
          kind: decision.kind,
          host: decision.host ?? null,
          addresses: decision.addresses ?? null,
          path: decision.path,
          reason: decision.reason,
          row: decision.row,
          strict: isStrict(context.endpoint),
          warnings: decision.warnings.map(({ code }) => code),
        },
      };
    },
  });
}

function summaryOf({ kind, host, addresses, path, reason, text }: EndpointDecision, service: ServiceName): string {
  if (host === undefined) return `nothing may be dialled: ${text}`;
  const endpoint = kind === "global" ? "the global endpoint" : host;
  const where = addresses === undefined ? "not pinned" : `at ${addresses.join(", ")} (${path})`;
  const isOther = reason === "hub-public" && service !== "hub";
  return `${endpoint}, ${where}${isOther ? "" : `: ${text}`}`;
}

function findingsOf(decision: EndpointDecision, found: CheckCall<ChoiceFailure>["found"]): Finding[] {
  const { kind, path, reason, text, advice, warnings } = decision;
  const because = { text, cause: `The decision is "${reason}".`, ...(advice === "" ? {} : { remedy: advice }) };
  if (kind === "none") return [found("refused", because)];
  const isExposed = path === "public" && !plainlyPublic.includes(reason);
  return [
    ...(isExposed ? [found("public-path", because)] : []),
    ...warnings.flatMap(({ code, text: said, remedy }) => {
      const own = ownWarnings.find((each) => each === code);
      return own === undefined ? [] : [found(own, { text: said, remedy })];
    }),
  ];
}
