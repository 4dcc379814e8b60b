import { type ServiceName, services } from "../service.ts";
import { byFinding, byService, type DiagnosisRule, once } from "./rule.ts";
import type { ServiceSymptoms } from "./symptoms.ts";

/** Where a refusal of a device's credential is found. */
const refusals: Readonly<Partial<Record<ServiceName, readonly [string, string]>>> = {
  dps: ["dps.authentication", "unauthorized"],
  hub: ["hub.connect", "unauthorized"],
};

/** What to do about a service that is only to be had by its private endpoint. */
const pathFixes = ({ service, host }: ServiceSymptoms): string[] => {
  const suffix = host.split(".").slice(1).join(".");
  return [
    `Make DNS lead to the private endpoint here: ask the owner of the virtual network to link the private DNS zone; on premises, forward ${suffix} to a resolver in the virtual network.`,
    `Or ask the owner of ${services[service].title} to allow public access, and this site's address in its IP rules.`,
  ];
};

const credentialFixes = (service: ServiceName): string[] =>
  service === "dps"
    ? [
        "Compare key or certificate, registration_id and id_scope with the enrollment; every intermediate certificate has to be sent.",
        "Look at this machine's clock, and whether the enrollment is disabled.",
      ]
    : [
        "Run `landfall provision`, so that DPS assigns the device anew.",
        "Ask the owner of the hub whether the device is disabled there.",
      ];

/** What the services themselves say; what DPS knows of the device comes before what is made of a refusal. */
export const serviceRules: readonly DiagnosisRule[] = [
  byFinding({
    id: "linked-hub-refuses-dps",
    confidence: "certain",
    about: "DPS accepted the device, and its linked hub refused DPS.",
    findings: ["dps.authentication/hub-unauthorized"],
  }),
  byFinding({
    id: "assignment-failed",
    confidence: "certain",
    about: "DPS accepted the device, and could not assign a hub.",
    findings: ["dps.authentication/assignment-failed"],
  }),
  byFinding({
    id: "enrollment-disabled",
    confidence: "certain",
    about: "The enrollment of this device is disabled.",
    findings: ["dps.authentication/disabled"],
  }),
  byFinding({
    id: "enrollment-gone",
    confidence: "likely",
    about: "DPS does not know this device any more.",
    findings: ["dps.authentication/enrollment-gone"],
  }),
  byService({
    id: "public-path-refused",
    confidence: "likely",
    about:
      "A private endpoint exists, the request left by a public address, and the service refused it: public network access is disabled, or an IP rule applies.",
    match(service, symptoms) {
      const [check, code] = refusals[service.service] ?? [`access.${service.service}`, "forbidden"];
      const found = symptoms.finding(check, code);
      const isGlobal = symptoms.fact(`endpoint.${service.service}`, "host") !== service.name;
      if (found === undefined || service.path !== "public" || !service.knownPrivate || isGlobal) return undefined;
      return {
        text: `${service.host} has a private endpoint that this network does not see, and refused the device on its public path: likely public network access is disabled, or an IP rule applies.`,
        evidence: [check, `dns.${service.service}`],
        fixes: pathFixes(service),
      };
    },
  }),
  byService({
    id: "service-not-private",
    confidence: "likely",
    about: "Of DPS and hub one is private here and the other is not, and refuses the device on its public path.",
    match(service, symptoms) {
      const [check = "", code = ""] = refusals[service.service] ?? [];
      const other = symptoms.service(service.service === "dps" ? "hub" : "dps");
      const isExposed = service.path === "public" && !service.knownPrivate && other.path === "private";
      if (symptoms.finding(check, code) === undefined || !isExposed) return undefined;
      const { title, subResource } = services[service.service];
      return {
        text: `${other.name} is private here and ${service.name} is not, and it refused the device: likely it has no private endpoint in this network, and its public network access is disabled.`,
        evidence: [check, `endpoint.${service.service}`, `endpoint.${other.service}`],
        fixes: [
          `Ask the owner of ${title} for a private endpoint of its own (sub-resource ${subResource}), with its zone linked to this network.`,
          ...pathFixes(service).slice(1),
        ],
      };
    },
  }),
  once({
    id: "global-endpoint-refused",
    confidence: "likely",
    about:
      "The global endpoint refuses the device. A DPS without public network access refuses there too; its service endpoint does not.",
    match(symptoms) {
      const found = symptoms.finding("dps.authentication", "unauthorized");
      const isGlobal =
        symptoms.fact("endpoint.dps", "kind") === "global" || symptoms.service("dps").reason === "explicit-global";
      if (found === undefined || !isGlobal) return undefined;
      const despite = symptoms.finding("endpoint.dps", "global-despite-private");
      const known = despite !== undefined;
      return {
        confidence: known ? "likely" : "possible",
        text: known
          ? "The settings name the global endpoint although a private endpoint is known, and DPS refused there: likely its public network access is disabled."
          : "DPS refused the device at the global endpoint: the credential may be wrong, or public network access of the DPS may be disabled.",
        evidence: ["dps.authentication", "endpoint.dps"],
        fixes: known
          ? ["Remove `endpoint` from the settings, so that the private endpoint is used.", ...credentialFixes("dps")]
          : [...credentialFixes("dps"), "If the DPS has a private endpoint, set dps_name in [provisioning]."],
      };
    },
  }),
  byService({
    id: "credential-refused",
    confidence: "likely",
    about: "The service refuses the device's credential, and nothing speaks for the path as the cause.",
    match({ service, host, path }, symptoms) {
      const [check = "", code = ""] = refusals[service] ?? [];
      if (symptoms.finding(check, code) === undefined) return undefined;
      return {
        text: `${host} refused the device: likely for its credential${path === "private" ? ", for the request came by the private path" : ""}.`,
        evidence: [check, `endpoint.${service}`],
        fixes: [
          ...credentialFixes(service),
          ...(path === "private"
            ? []
            : [
                `Ask the owner of ${services[service].title} about public network access and IP rules: they are refused in the same words.`,
              ]),
        ],
      };
    },
  }),
  byFinding({
    id: "public-access-disabled",
    confidence: "certain",
    about: "The service says in the documented words that public network access is disabled.",
    findings: ["access.*/public-access-disabled"],
  }),
  byFinding({
    id: "access-forbidden",
    confidence: "possible",
    about: "The service forbids the request, in words that Azure does not document.",
    findings: ["access.*/forbidden"],
  }),
  byFinding({
    id: "device-unknown-at-hub",
    confidence: "likely",
    about: "The hub does not know this device any more.",
    findings: ["hub.connect/unknown-device"],
  }),
  byFinding({
    id: "traffic-altered",
    confidence: "likely",
    about: "TLS works, and what comes through it is not the service's answer, or nothing.",
    findings: ["dps.authentication/not-dps", "dps.authentication/no-answer", "hub.connect/no-answer"],
  }),
  byFinding({
    id: "service-refuses",
    confidence: "possible",
    about: "The service refuses for a reason of its own, which its error code tells.",
    findings: ["dps.authentication/refused", "hub.connect/refused"],
  }),
  byFinding({
    id: "service-busy",
    confidence: "likely",
    about: "The service has too much to do, or is being moved.",
    findings: ["dps.authentication/busy", "hub.connect/unavailable"],
  }),
  byFinding({
    id: "not-registered",
    confidence: "possible",
    about: "DPS knows no registration of this device: it never registered, or has no enrollment.",
    findings: ["dps.authentication/not-registered"],
  }),
];
