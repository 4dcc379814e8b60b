/** The separate clouds. */
export type Cloud = "public" | "usgov" | "china";

/** The resources that can have private endpoints here. */
export const resourceKinds = ["dps", "hub", "device-update", "digital-twins"] as const;

/** One of {@link resourceKinds}. */
export type ResourceKind = (typeof resourceKinds)[number];

/** Which of a resource's names: its own, or a hub's built-in Event Hubs-compatible endpoint. */
export type HostRole = "service" | "events";

/** What is fixed about one name of a kind of resource. */
export interface HostFacts {
  readonly role: HostRole;
  /** The labels in front of the suffix. */
  readonly labels: (name: string, region: string) => string;
  /** Absent where the service is not documented for that cloud. */
  readonly suffix: Readonly<Partial<Record<Cloud, string>>>;
  /** TCP ports that answer at this name. */
  readonly ports: readonly number[];
}

/** What is fixed about one kind of resource. */
export interface KindFacts {
  readonly title: string;
  /** As Azure Resource Manager writes it. */
  readonly resourceType: string;
  /** The target sub-resource of its private endpoints. */
  readonly subResource: string;
  readonly hosts: readonly HostFacts[];
}

const ownName = (name: string): string => name;

/** Azure's names and ports, by kind of resource. */
export const kindFacts: Readonly<Record<ResourceKind, KindFacts>> = {
  dps: {
    title: "Device Provisioning Service",
    resourceType: "Microsoft.Devices/provisioningServices",
    subResource: "iotDps",
    hosts: [
      {
        role: "service",
        labels: ownName,
        suffix: {
          public: "azure-devices-provisioning.net",
          usgov: "azure-devices-provisioning.us",
          china: "azure-devices-provisioning.cn",
        },
        ports: [443, 8883, 5671],
      },
    ],
  },
  hub: {
    title: "IoT Hub",
    resourceType: "Microsoft.Devices/IotHubs",
    subResource: "iotHub",
    hosts: [
      {
        role: "service",
        labels: ownName,
        suffix: { public: "azure-devices.net", usgov: "azure-devices.us", china: "azure-devices.cn" },
        ports: [443, 8883, 5671],
      },
      {
        role: "events",
        labels: (name) => `iothub-ns-${name}-5510`,
        suffix: {
          public: "servicebus.windows.net",
          usgov: "servicebus.usgovcloudapi.net",
          china: "servicebus.chinacloudapi.cn",
        },
        ports: [443, 5671],
      },
    ],
  },
  "device-update": {
    title: "Device Update",
    resourceType: "Microsoft.DeviceUpdate/accounts",
    subResource: "DeviceUpdate",
    hosts: [{ role: "service", labels: ownName, suffix: { public: "api.adu.microsoft.com" }, ports: [443] }],
  },
  "digital-twins": {
    title: "Digital Twins",
    resourceType: "Microsoft.DigitalTwins/digitalTwinsInstances",
    subResource: "API",
    hosts: [
      {
        role: "service",
        labels: (name, region) => `${name}.api.${region}`,
        suffix: { public: "digitaltwins.azure.net" },
        ports: [443],
      },
    ],
  },
};

/** The suffixes of the regional names that public chains end in: load balancer first, then the machine. */
export const regionalSuffixes: Readonly<Record<Cloud, readonly [string, string]>> = {
  public: ["trafficmanager.net", "cloudapp.azure.com"],
  usgov: ["usgovtrafficmanager.net", "usgovcloudapp.net"],
  china: ["trafficmanager.cn", "chinacloudapp.cn"],
};

/** The global device endpoint of a cloud, shared by every DPS in it. */
export function globalHostName(cloud: Cloud): string {
  return `global.${kindFacts.dps.hosts[0]?.suffix[cloud]}`;
}
