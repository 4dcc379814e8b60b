import { isBelow, isHostName, isPrivatelinkName, normaliseHost } from "./host-name.ts";

/** The separate Azure clouds. Nothing crosses between them: no DPS can assign a hub of another cloud over Private Link. */
export const cloudNames = ["public", "usgov", "china"] as const;

/** One of {@link cloudNames}. */
export type CloudName = (typeof cloudNames)[number];

/** The services whose names landfall knows. */
export type AzureService = "dps" | "hub" | "event-hubs" | "device-update" | "digital-twins";

interface Cloud {
  /** How people call it. */
  readonly title: string;
  /** ID scopes of this cloud start with it. */
  readonly idScopePrefix: string;
  /** DNS suffixes of each service; the first is the usual one. */
  readonly suffixes: Readonly<Record<AzureService, readonly string[]>>;
}

/**
 * What is known of each cloud. Azure's own tables disagree on the Event Hubs suffix behind a US Government hub, so both are
 * listed; Device Update and Digital Twins are documented for the public cloud only.
 */
export const clouds: Readonly<Record<CloudName, Cloud>> = {
  public: {
    title: "Azure public",
    idScopePrefix: "0ne",
    suffixes: {
      dps: ["azure-devices-provisioning.net"],
      hub: ["azure-devices.net"],
      "event-hubs": ["servicebus.windows.net"],
      "device-update": ["api.adu.microsoft.com", "adu.microsoft.com"],
      "digital-twins": ["digitaltwins.azure.net"],
    },
  },
  usgov: {
    title: "Azure US Government",
    idScopePrefix: "0us",
    suffixes: {
      dps: ["azure-devices-provisioning.us"],
      hub: ["azure-devices.us"],
      "event-hubs": ["servicebus.usgovcloudapi.net", "servicebus.windows.us"],
      "device-update": [],
      "digital-twins": ["digitaltwins.azure.us"],
    },
  },
  china: {
    title: "Azure China",
    idScopePrefix: "0cn",
    suffixes: {
      dps: ["azure-devices-provisioning.cn"],
      hub: ["azure-devices.cn"],
      "event-hubs": ["servicebus.chinacloudapi.cn"],
      "device-update": [],
      "digital-twins": [],
    },
  },
};

/** The cloud that an ID scope belongs to by its first three characters; undefined when they tell nothing. */
export function cloudOfIdScope(idScope: string): CloudName | undefined {
  return cloudNames.find((name) => idScope.toLowerCase().startsWith(clouds[name].idScopePrefix));
}

/** What a host name belongs to. */
export interface AzureHost {
  readonly cloud: CloudName;
  readonly service: AzureService;
}

/**
 * The cloud and service of a host by its suffix, or undefined for a name outside Azure. Any number of labels may stand before
 * the suffix: a hub may be `<hub>.azure-devices.net` or `<hub>.device.azure-devices.net`.
 */
export function azureHost(host: string): AzureHost | undefined {
  const name = normaliseHost(host);
  return knownSuffixes.find(({ suffix }) => isBelow(name, suffix));
}

const knownSuffixes = cloudNames.flatMap((cloud) =>
  (Object.keys(clouds[cloud].suffixes) as AzureService[]).flatMap((service) =>
    clouds[cloud].suffixes[service].map((suffix) => ({ cloud, service, suffix })),
  ),
);

/** The global device endpoint of a cloud, shared by every DPS in it. */
export function globalHost(cloud: CloudName): string {
  return `global.${clouds[cloud].suffixes.dps[0]}`;
}

/** Whether `host` is the global device endpoint of any cloud, in any spelling. */
export function isGlobalHost(host: string): boolean {
  return cloudNames.some((cloud) => globalHost(cloud) === normaliseHost(host));
}

/**
 * The service endpoint of one DPS. `dpsName` is the resource's name (`contoso`), or the whole host name.
 * Returns undefined when it is neither, and for `global`, which names no DPS.
 */
export function serviceHost(dpsName: string, cloud: CloudName): string | undefined {
  const name = normaliseHost(dpsName);
  const everySuffix = cloudNames.flatMap((each) => clouds[each].suffixes.dps);
  const suffix = everySuffix.find((each) => isBelow(name, each)) ?? clouds[cloud].suffixes.dps[0];
  const resource = name.split(".")[0] ?? "";
  const host = `${resource}.${suffix}`;
  const named = (name === resource || name === host) && isHostName(host);
  return named && !isGlobalHost(host) && !isPrivatelinkName(host) ? host : undefined;
}
