import type { Check } from "./check.ts";
import { certificateChain } from "./checks/certificate-chain.ts";
import { clock } from "./checks/clock.ts";
import { cloud } from "./checks/cloud.ts";
import { configuration } from "./checks/configuration.ts";
import { credentialName } from "./checks/credential-name.ts";
import { credentialReadable } from "./checks/credential-readable.ts";
import { credentialValidity } from "./checks/credential-validity.ts";
import { dpsAuthentication } from "./checks/dps-authentication.ts";
import { endpointChoice } from "./checks/endpoint-choice.ts";
import { endpointSettings } from "./checks/endpoint-settings.ts";
import { fileModes } from "./checks/file-modes.ts";
import { hostsFile } from "./checks/hosts-file.ts";
import { hubConnect } from "./checks/hub-connect.ts";
import { hubName } from "./checks/hub-name.ts";
import { keyMatch } from "./checks/key-match.ts";
import { nameServers } from "./checks/name-servers.ts";
import { nameView } from "./checks/name-view.ts";
import { networkMemory } from "./checks/network-memory.ts";
import { proxyPath } from "./checks/proxy-path.ts";
import { proxySettings } from "./checks/proxy-settings.ts";
import { publicAccess } from "./checks/public-access.ts";
import { storedAssignment } from "./checks/stored-assignment.ts";
import { tcp } from "./checks/tcp.ts";
import { tls } from "./checks/tls.ts";
import { updatesLinkedHub } from "./checks/updates-linked-hub.ts";
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
  cloud,
  fileModes,
  credentialReadable,
  keyMatch,
  credentialName,
  credentialValidity,
  certificateChain,
  storedAssignment,
  hostsFile,
  ...wayTo("dps"),
  dpsAuthentication,
  hubName,
  ...wayTo("hub"),
  hubConnect,
  ...wayTo("event-hubs"),
  ...wayTo("device-update"),
  publicAccess("device-update"),
  updatesLinkedHub,
  ...wayTo("digital-twins"),
  publicAccess("digital-twins"),
  nameServers,
  networkMemory,
  proxySettings,
  proxyPath,
  clock,
];
