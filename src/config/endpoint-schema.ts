import { cloudNames, isGlobalHost } from "../endpoint/clouds.ts";
import { type EndpointSettings, endpointDefaults, endpointFaults } from "../endpoint/endpoint-settings.ts";
import { host } from "./host-kind.ts";
import { choice, flag, list, text } from "./kinds.ts";
import type { Place } from "./place.ts";
import { defaulting, optional } from "./schema.ts";

/** Settings of the paths to DPS and hub alike. */
export const pathSettings = {
  cloud: optional(
    choice(cloudNames),
    "public",
    "The Azure cloud. Left out, it follows from the names given and from the id scope's prefix.",
  ),
  network: defaulting(
    choice(["any", "private"]),
    endpointDefaults.network,
    'With "private", connect through private endpoints or not at all: no byte of TLS leaves for a public address.',
  ),
  private_cidrs: defaulting(
    list(text("an address range such as 203.0.112.0/24", /^[0-9a-fA-F:.]+\/\d{1,3}$/)),
    endpointDefaults.privateCidrs,
    "Public address ranges that the virtual network uses, which count as private.",
  ),
};

/** Settings of the choice among the endpoints of DPS. */
export const endpointSettings = {
  endpoint: optional(
    text('"auto", "service", "global" or a host name', /^[^\s/]{1,253}$/),
    endpointDefaults.endpoint,
    'Which endpoint of DPS to use. "auto" takes the service endpoint where a private endpoint is in use, and the global ' +
      "one otherwise; `landfall endpoint` explains the choice.",
  ),
  dps_name: optional(
    text("the name of the DPS instance, or the host name of its service endpoint", /^[^\s/]{1,253}$/),
    "my-dps",
    "Name of the DPS instance, without which no private endpoint can be found.",
  ),
  global_endpoint: optional(
    host,
    "https://global.azure-devices-provisioning.net",
    "The name that aziot has for the endpoint: another host than a global endpoint is used as it is; a global one leaves " +
      "the choice to `endpoint`.",
  ),
  data_residency: defaulting(
    choice(["any", "strict"]),
    endpointDefaults.dataResidency,
    'With "strict", never use the global endpoint, which may take a registration out of its region.',
  ),
  allow_global_fallback: defaulting(
    flag,
    endpointDefaults.allowGlobalFallback,
    "Use the global endpoint when no name server knows the service endpoint's name, and it was never private.",
  ),
  ...pathSettings,
};

/** What validation makes of {@link pathSettings}; a draft with faults lacks what was faulty, and is judged all the same. */
interface PathDraft {
  readonly cloud?: EndpointSettings["cloud"] | undefined;
  readonly network?: EndpointSettings["network"] | undefined;
  readonly private_cidrs?: readonly string[] | undefined;
}

/** What validation makes of {@link endpointSettings}. */
interface EndpointDraft extends PathDraft {
  readonly id_scope?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly dps_name?: string | undefined;
  readonly global_endpoint?: string | undefined;
  readonly data_residency?: EndpointSettings["dataResidency"] | undefined;
  readonly allow_global_fallback?: boolean | undefined;
}

/** The choice among the endpoints of DPS. */
export function endpointOfDps(draft: EndpointDraft): EndpointSettings {
  const { id_scope: idScope = "", dps_name: dpsName, endpoint, global_endpoint: aziotEndpoint } = draft;
  return {
    ...pathsOf(draft),
    idScope,
    ...(dpsName === undefined ? {} : { dpsName }),
    endpoint: endpoint ?? (aziotEndpoint && !isGlobalHost(aziotEndpoint) ? aziotEndpoint : endpointDefaults.endpoint),
    dataResidency: draft.data_residency ?? endpointDefaults.dataResidency,
    allowGlobalFallback: draft.allow_global_fallback ?? endpointDefaults.allowGlobalFallback,
  };
}

/** The paths to a hub that is given by hand. */
export function endpointOfHub(draft: PathDraft): EndpointSettings {
  return { ...endpointDefaults, ...pathsOf(draft), idScope: "" };
}

function pathsOf({ cloud, network, private_cidrs: privateCidrs }: PathDraft) {
  return {
    ...(cloud === undefined ? {} : { cloud }),
    network: network ?? endpointDefaults.network,
    privateCidrs: privateCidrs ?? endpointDefaults.privateCidrs,
  };
}

/** Reports settings of the endpoint that contradict each other, or that no endpoint can be chosen by. */
export function checkEndpoint(settings: EndpointSettings, provisioning: Place): void {
  for (const { setting, message } of endpointFaults(settings)) {
    const [, expected = "settings that fit together", found = message] =
      /^expected (.*), got (.*)$/s.exec(message) ?? [];
    provisioning.at(setting).fault({ expected, found });
  }
}
