import { evidenceFor } from "../../endpoint/evidence.ts";
import { defineCheck } from "../check.ts";
import type { Subject } from "../context.ts";
import { sightOf } from "../sight.ts";

/** Whether a proxy carries what ought to stay private. */
export const proxySettings = defineCheck({
  id: "proxy.settings",
  group: "proxy",
  title: "Proxy settings",
  does: "Looks which connections a configured proxy would carry, and whether it hides a private endpoint. Sends DNS queries only.",
  dependsOn: ["config.valid"],
  follows: ["endpoint.dps", "hub.name", "endpoint.hub"],
  failures: {
    "hides-private-endpoint": {
      status: "warning",
      when: "DNS here shows a private address, and a proxy that looks names up itself carries the connection.",
      cause: "The proxy's own DNS decides the path, and likely leads to the public endpoint.",
      remedy: "Add the public suffix to NO_PROXY, or to [network] no_proxy.",
    },
    bypassed: {
      status: "warning",
      when: "The proxy of the settings is not used for a host, because the path has to stay private.",
      cause: "The proxy would look the name up itself, and nobody here could vouch for the path.",
      remedy: "Exempt the host with NO_PROXY, or with [network] no_proxy, so that the settings say so.",
    },
  },
  async run(context, { found }) {
    const { proxy, proxyFrom = "configuration" } = context.settings.network;
    if (proxy === undefined) return { summary: "none" };
    const subjects = await Promise.all([context.subject("dps"), context.subject("hub")]);
    const carried = subjects.flatMap((subject) => (subject === undefined ? [] : carriedBy(subject)));
    const findings = subjects.flatMap((subject) => {
      if (subject === undefined) return [];
      const { decision, host = "", evidence } = subject;
      const suffix = `.${host.split(".").slice(1).join(".")}`;
      const remedy = `Add ${suffix} to NO_PROXY, or to [network] no_proxy: clients ask for that name, never for a privatelink name.`;
      const bypassed = decision.warnings.find(({ code }) => code === "proxy-bypassed");
      const { vetted } = sightOf(host, context.endpoint, evidence);
      const hides = carriedBy(subject).length > 0 && vetted.length > 0;
      return [
        ...(bypassed ? [found("bypassed", { text: bypassed.text, remedy })] : []),
        ...(hides
          ? [
              found("hides-private-endpoint", {
                text: `${host} is at ${vetted.join(", ")} here, and goes through the proxy`,
                remedy,
              }),
            ]
          : []),
      ];
    });
    return {
      summary:
        carried.length === 0 ? `set (${proxyFrom}), and used for nothing` : `${carried.join("; ")} (${proxyFrom})`,
      findings,
      evidence: carried.length === 0 ? ["MQTT on port 8883 never goes through a proxy"] : [],
      data: { from: proxyFrom, carries: carried.length },
      stops: false,
    };
  },
});

/** What a proxy carries of a service's connections, in words; empty when it carries none. */
function carriedBy({ decision, evidence }: Subject): string[] {
  const { host, kind, proxy } = decision;
  if (host === undefined || kind === "none" || proxy === "never") return [];
  const seen = evidenceFor(evidence, host)?.proxy;
  return seen?.applies ? [`${host} through ${seen.proxy}`] : [];
}
