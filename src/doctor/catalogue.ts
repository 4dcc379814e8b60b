import type { Check } from "./check.ts";
import { configuration } from "./checks/configuration.ts";
import { endpointChoice } from "./checks/endpoint-choice.ts";
import { endpointSettings } from "./checks/endpoint-settings.ts";
import { hubName } from "./checks/hub-name.ts";
import { nameView } from "./checks/name-view.ts";
import { storedAssignment } from "./checks/stored-assignment.ts";
import { tcp } from "./checks/tcp.ts";
import { tls } from "./checks/tls.ts";
import { type ServiceName, services } from "./service.ts";

/** A service from its name to TLS. */
function wayTo(service: ServiceName): Check[] {
  const { ports } = services[service];
  return [
    nameView(service),
    endpointChoice(service),
    ...ports.map((port) => tcp(service, port)),
    // AMQP is nothing that a device here speaks; the reader of an Event Hubs-compatible endpoint does.
    ...ports.filter((port) => port !== 5671 || service === "event-hubs").map((port) => tls(service, port)),
  ];
}

/** Every check, in the order in which they are printed; each comes after those that it depends on or follows. */
export const allChecks: readonly Check[] = [
  configuration,
  endpointSettings,
  storedAssignment,
  ...wayTo("dps"),
  hubName,
  ...wayTo("hub"),
  ...wayTo("event-hubs"),
  ...wayTo("device-update"),
  ...wayTo("digital-twins"),
];
