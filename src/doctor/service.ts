import type { DpsTransportName, Settings } from "../config/settings.ts";

/** The services that the doctor looks at. */
export const serviceNames = ["dps", "hub", "event-hubs", "device-update", "digital-twins"] as const;

/** One of {@link serviceNames}. */
export type ServiceName = (typeof serviceNames)[number];

/** What is fixed about a service. */
export interface Service {
  readonly title: string;
  /** TCP ports that it listens on, of those that a device or a back end may use. */
  readonly ports: readonly number[];
  /** Target sub-resource of its private endpoints. */
  readonly subResource: string;
  /** The check that has to hold before its name can be looked at. */
  readonly named: string;
}

/** Facts of each service. AMQP has port 5671, MQTT 8883, HTTPS and everything over WebSocket 443. */
export const services: Readonly<Record<ServiceName, Service>> = {
  dps: {
    title: "the Device Provisioning Service",
    ports: [8883, 443, 5671],
    subResource: "iotDps",
    named: "config.endpoint",
  },
  hub: { title: "the IoT hub", ports: [8883, 443, 5671], subResource: "iotHub", named: "hub.name" },
  "event-hubs": {
    title: "the hub's Event Hubs-compatible endpoint",
    ports: [5671, 443],
    subResource: "iotHub",
    named: "config.valid",
  },
  "device-update": { title: "Device Update", ports: [443], subResource: "DeviceUpdate", named: "config.valid" },
  "digital-twins": { title: "Digital Twins", ports: [443], subResource: "API", named: "config.valid" },
};

/** The port of each transport. */
export const transportPorts: Readonly<Record<DpsTransportName, number>> = { mqtt: 8883, "mqtt-ws": 443, https: 443 };

/**
 * What a port is to this device.
 *
 * - `needed`: the configured transport, or whoever uses the service, cannot do without
 * - `helpful`: the other one of 8883 and 443 at DPS and hub: a way out, and what the doctor asks DPS by
 * - `unused`: nothing here uses it
 */
export type PortNeed = "needed" | "helpful" | "unused";

/** What a port of a service is to a device with these settings. */
export function portNeed(service: ServiceName, port: number, settings: Settings): PortNeed {
  if (port === usedPort(service, settings)) return "needed";
  return (service === "dps" || service === "hub") && port !== 5671 ? "helpful" : "unused";
}

/** The port by which this device, or whoever uses the service, connects. */
export function usedPort(service: ServiceName, { provisioning, hub }: Settings): number {
  if (service === "hub") return transportPorts[hub.transport];
  if (service === "dps") return provisioning.source === "dps" ? transportPorts[provisioning.transport] : 443;
  return services[service].ports[0] ?? 443;
}
