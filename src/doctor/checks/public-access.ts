import { routeOf } from "../../endpoint/route-of.ts";
import { isJsonObject, type JsonValue } from "../../json.ts";
import { exchangeHttps } from "../../transport/https/https-exchange.ts";
import { type Check, defineCheck } from "../check.ts";
import { requestTimeoutMs } from "../limits.ts";
import { services } from "../service.ts";
import { sightOf } from "../sight.ts";

/** What Digital Twins is documented to say to who comes by the public path. */
const documented = "Public network access disabled by policy.";

/** Whether a service talks to who comes by this path. */
export function publicAccess(service: "device-update" | "digital-twins"): Check {
  const { title } = services[service];
  return defineCheck({
    id: `access.${service}`,
    group: "access",
    title: `Access to ${title}`,
    does: "Sends GET / without credentials. A service that wants to know who asks is in reach; one that forbids the path says so.",
    dependsOn: [`tls.${service}.443`],
    failures: {
      "public-access-disabled": {
        status: "failed",
        when: `The service answers 403 and says that public network access is disabled.`,
        cause: "The request came by the public path, and the owner allows private endpoints only.",
        remedy:
          "Make DNS lead to the private endpoint here; ask the owner of the virtual network to link the private DNS zone.",
      },
      forbidden: {
        status: "failed",
        when: "The service answers 403 for another reason.",
        cause:
          "Likely public network access is disabled, or a proxy forbids the request. Azure does not document the text.",
        remedy: "Ask the owner of the resource about public network access.",
      },
    },
    async run(context, { signal, found }) {
      const subject = await context.subject(service);
      if (subject?.host === undefined) return { skipped: `no name of ${title} is known` };
      const options = { dialer: context.dialer, clock: context.clock, requestTimeoutMs };
      const route = routeOf(subject.decision);
      const { status, body } = await exchangeHttps(options, route, { method: "GET", path: "/" }, { signal });
      const { knownPrivate } = sightOf(subject.host, context.endpoint, subject.evidence);
      const data = { status, path: subject.decision.path, knownPrivate };
      if (status !== 403) return { summary: `answers (${status})`, data };
      const message = messageIn(body);
      const code = message === documented ? "public-access-disabled" : "forbidden";
      const text = `${subject.host} answered 403${message === undefined ? "" : `: ${message}`}`;
      return { summary: text, findings: [found(code, { text })], data: { ...data, outcome: code } };
    },
  });
}

/** The message of an error body: its own, or that of its member `error`. */
function messageIn(body: string): string | undefined {
  try {
    const json = JSON.parse(body) as JsonValue;
    if (!isJsonObject(json)) return undefined;
    const { message = isJsonObject(json.error) ? json.error.message : undefined } = json;
    return typeof message === "string" ? message.slice(0, 200) : undefined;
  } catch {
    return undefined;
  }
}
