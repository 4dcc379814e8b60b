import { classifyAddress } from "../../endpoint/address-class.ts";
import { azureHost } from "../../endpoint/clouds.ts";
import { parsePrivateCidrs } from "../../endpoint/private-cidrs.ts";
import { defineCheck } from "../check.ts";

/** Whether the hosts file stands in the way of DNS for names of Azure. */
export const hostsFile = defineCheck({
  id: "dns.hosts-file",
  group: "dns",
  title: "Hosts file",
  does: "Looks for names of Azure's IoT services in the hosts file. Contacts nothing.",
  dependsOn: ["config.valid"],
  failures: {
    override: {
      status: "warning",
      when: "A line gives a private address to a name of Azure.",
      cause: "Somebody made a private endpoint known without a private DNS zone.",
      remedy:
        "Keep the line current by hand, or remove it and link the private DNS zone. Containers do not see the host's file.",
    },
    "public-override": {
      status: "warning",
      when: "A line gives an address to a name of Azure that is not private.",
      cause: "A test, or an older network. It may hide a private endpoint.",
      remedy: "Remove the line, unless it is meant.",
    },
  },
  async run({ hosts, endpoint, settings }, { found }) {
    const privateCidrs = parsePrivateCidrs(endpoint.privateCidrs).cidrs;
    const lines = hosts.filter(({ name }) => azureHost(name) !== undefined);
    return {
      summary: lines.length === 0 ? `no name of Azure in ${settings.network.hostsFile}` : `${lines.length} lines`,
      findings: lines.map(({ file, line, name, address }) => {
        const isPrivate = classifyAddress(address, { privateCidrs })?.class === "private";
        const text = `${file}:${line} gives ${name} the address ${address}`;
        return found(isPrivate ? "override" : "public-override", { text });
      }),
      data: { lines: lines.map(({ line, name, address }) => ({ line, name, address })) },
    };
  },
});
