import { type AzureService, azureHost, type CloudName, cloudOfIdScope, clouds } from "../../endpoint/clouds.ts";
import { cloudOf } from "../../endpoint/endpoint-settings.ts";
import { defineCheck } from "../check.ts";

/** Whether all names belong to one cloud, and each to the service that it is given for. */
export const cloud = defineCheck({
  id: "config.cloud",
  group: "config",
  title: "Cloud",
  does: "Holds the prefix of the ID scope and the suffix of every configured host against each other. Contacts nothing.",
  dependsOn: ["config.valid"],
  failures: {
    mismatch: {
      status: "warning",
      when: "The ID scope or a host belongs to another Azure cloud than the rest.",
      cause: "A name was copied from another cloud; nothing crosses between clouds.",
      remedy: "Compare id_scope, cloud and the host names with what the Azure portal of that cloud shows.",
    },
    "other-service": {
      status: "warning",
      when: "A host is not a name of the service that it is given for.",
      cause: "The name of another resource was copied, or an address that clients do not use.",
      remedy: "Use the host name that the Azure portal shows for that resource.",
    },
  },
  async run({ settings, endpoint }, { found }) {
    const { eventHubs, deviceUpdate, digitalTwins } = settings.doctor;
    const hub = settings.provisioning.source === "manual" ? settings.provisioning.iothubHostname : undefined;
    const own = hub === undefined ? cloudOf(endpoint) : (azureHost(hub)?.cloud ?? cloudOf(endpoint));
    const hosts: readonly (readonly [string | undefined, AzureService])[] = [
      [hub, "hub"],
      [eventHubs, "event-hubs"],
      [deviceUpdate, "device-update"],
      [digitalTwins, "digital-twins"],
    ];
    const given = hosts.flatMap(([host, service]) => (host === undefined ? [] : [{ host, service }]));
    const scope = cloudOfIdScope(endpoint.idScope);
    return {
      summary: clouds[own].title,
      findings: [
        ...(scope === undefined || scope === own
          ? []
          : [
              found("mismatch", {
                text: `the ID scope ${endpoint.idScope} looks like ${titleOf(scope)}, the rest like ${titleOf(own)}`,
              }),
            ]),
        ...given.flatMap(({ host, service }) => {
          const belongs = azureHost(host);
          if (belongs === undefined || belongs.service !== service) {
            return [found("other-service", { text: `${host} is no name of ${service}` })];
          }
          if (belongs.cloud === own) return [];
          return [
            found("mismatch", { text: `${host} belongs to ${titleOf(belongs.cloud)}, the rest to ${titleOf(own)}` }),
          ];
        }),
      ],
      data: { cloud: own },
    };
  },
});

function titleOf(name: CloudName): string {
  return clouds[name].title;
}
