import {
  azureHost,
  type CloudName,
  cloudOfIdScope,
  clouds,
  globalHost as globalHostOf,
  isGlobalHost,
  serviceHost as serviceHostOf,
} from "./clouds.ts";
import { isAddressLike, isHostName, isPrivatelinkName, normaliseHost, privatelinkRecord } from "./host-name.ts";
import { parsePrivateCidrs } from "./private-cidrs.ts";

/** What the owner wants of the choice of an endpoint. */
export interface EndpointSettings {
  /** `auto`, `service`, `global`, or a host name. Default `auto`. */
  readonly endpoint: string;
  readonly idScope: string;
  /** Name of the DPS resource, or its whole host name. It cannot be derived from the ID scope. */
  readonly dpsName?: string;
  /** Default: by the ID scope's prefix, else the public cloud. */
  readonly cloud?: CloudName;
  /** `private`: never dial an address that is not known to be private. Default `any`. */
  readonly network: "any" | "private";
  /** `strict`: the registration never leaves the DPS's region, so it goes through a private endpoint or nowhere. Default `any`. */
  readonly dataResidency: "any" | "strict";
  /** Ranges outside RFC 1918 that count as private; see `parsePrivateCidrs` for their limits. */
  readonly privateCidrs: readonly string[];
  /** Whether the global endpoint may be used when the service name does not exist at all. Default false. */
  readonly allowGlobalFallback: boolean;
}

/** What `endpoint` means. */
export type EndpointWish = "auto" | "service" | "global" | "host";

/** The defaults; only the ID scope has none. */
export const endpointDefaults = {
  endpoint: "auto",
  network: "any",
  dataResidency: "any",
  privateCidrs: [],
  allowGlobalFallback: false,
} as const satisfies Partial<EndpointSettings>;

/** What `endpoint` means: a key word, the global endpoint of any cloud in any spelling, or some other host. */
export function endpointWish({ endpoint }: EndpointSettings): EndpointWish {
  const word = normaliseHost(endpoint);
  if (word === "auto" || word === "service" || word === "global") return word;
  return isGlobalHost(word) ? "global" : "host";
}

/** Whether a registration has to go through a private endpoint or nowhere. */
export function isStrict({ network, dataResidency }: EndpointSettings): boolean {
  return network === "private" || dataResidency === "strict";
}

/** The cloud to work in: as set, else by the explicit host, else by the ID scope, else public. */
export function cloudOf(settings: EndpointSettings): CloudName {
  return settings.cloud ?? azureHost(settings.endpoint)?.cloud ?? cloudOfIdScope(settings.idScope) ?? "public";
}

/** The service endpoint by `dps_name`; undefined without one, or when it names none. */
export function serviceHost(settings: EndpointSettings): string | undefined {
  return settings.dpsName === undefined ? undefined : serviceHostOf(settings.dpsName, cloudOf(settings));
}

/** The global endpoint that is meant: the explicit one, else that of the cloud. */
export function globalHost(settings: EndpointSettings): string {
  return isGlobalHost(settings.endpoint) ? normaliseHost(settings.endpoint) : globalHostOf(cloudOf(settings));
}

/** One thing that is wrong with the settings. */
export interface SettingFault {
  /** The setting as the configuration file names it. */
  readonly setting: string;
  /** What was expected and what was found. */
  readonly message: string;
}

/** Every contradiction and unusable value, before anything is asked of the network. */
export function endpointFaults(settings: EndpointSettings): SettingFault[] {
  return [
    ...hostFaults(settings),
    ...dpsNameFaults(settings),
    ...strictnessFaults(settings),
    ...parsePrivateCidrs(settings.privateCidrs).faults.map((message) => ({ setting: "private_cidrs", message })),
  ];
}

function hostFaults(settings: EndpointSettings): SettingFault[] {
  if (endpointWish(settings) !== "host") return [];
  const fault = (message: string): SettingFault[] => [{ setting: "endpoint", message }];
  const { endpoint } = settings;
  const plain = `<name>.${clouds[cloudOf(settings)].suffixes.dps[0]}`;
  if (isAddressLike(endpoint)) {
    return fault(`expected a host name, got an address: the service's certificate is for ${plain}, so use that name`);
  }
  if (!isHostName(endpoint)) return fault(`expected "auto", "service", "global" or a host name, got "${endpoint}"`);
  if (isPrivatelinkName(endpoint)) {
    const instead = normaliseHost(endpoint).replace(/(^|\.)privatelink(?=\.)/, "");
    return fault(`expected the public name ${instead}: the service's certificate does not cover "${endpoint}"`);
  }
  return [];
}

function dpsNameFaults(settings: EndpointSettings): SettingFault[] {
  const { dpsName } = settings;
  if (dpsName === undefined || serviceHost(settings) !== undefined) return [];
  const got = isPrivatelinkName(dpsName) ? `a name in the zone ${privatelinkRecord(dpsName)?.zone}` : `"${dpsName}"`;
  return [{ setting: "dps_name", message: `expected the name of the DPS resource, such as "contoso-dps", got ${got}` }];
}

function strictnessFaults(settings: EndpointSettings): SettingFault[] {
  if (!isStrict(settings)) return [];
  const because = settings.network === "private" ? 'network = "private"' : 'data_residency = "strict"';
  const faults: SettingFault[] = [];
  if (endpointWish(settings) === "global") {
    faults.push({ setting: "endpoint", message: `the global endpoint and ${because} exclude each other` });
  }
  if (settings.allowGlobalFallback) {
    faults.push({
      setting: "allow_global_fallback",
      message: `has no effect beside ${because}: remove one of the two`,
    });
  }
  return faults;
}
