import { evidenceFor } from "../../endpoint/evidence.ts";
import { isLandfallError } from "../../errors.ts";
import { defineCheck } from "../check.ts";
import type { DoctorContext } from "../context.ts";
import { dialTargetOf } from "../destinations.ts";
import { saidBy } from "../words.ts";

/** Whether the proxy makes connections for this device. */
export const proxyPath = defineCheck({
  id: "proxy.path",
  group: "proxy",
  title: "Way through the proxy",
  does: "Asks the proxy for a connection to DPS, or to the hub, on port 443, and hangs up.",
  dependsOn: ["config.valid"],
  follows: ["endpoint.dps", "hub.name", "endpoint.hub"],
  deadlineMs: 30_000,
  failures: {
    credentials: {
      status: "failed",
      when: "The proxy wants credentials, or other ones (407).",
      cause: "The proxy setting has none, or old ones.",
      remedy: "Put user name and password, percent-encoded, into the proxy's address.",
    },
    forbidden: {
      status: "failed",
      when: "The proxy does not allow the destination (403).",
      cause: "The proxy has a list of allowed hosts or ports, and this one is not on it.",
      remedy: "Ask whoever runs the proxy to allow CONNECT to the host on port 443.",
    },
    "no-way": {
      status: "failed",
      when: "The proxy cannot reach the destination (502, 503, 504).",
      cause: "The proxy's own DNS or network does not lead there; it may not see the private endpoint.",
      remedy: "Ask whoever runs the proxy; or exempt the host with no_proxy if it can be reached directly.",
    },
    unreachable: {
      status: "failed",
      when: "The proxy itself cannot be reached, or does not do as it should.",
      cause: "A wrong address, or the proxy is down.",
      remedy: "Correct the proxy's address, or ask whoever runs it.",
    },
  },
  async run(context, { signal, found }) {
    const proxied = await firstProxied(context);
    if (proxied === undefined) return { skipped: "no proxy carries anything" };
    const { target, proxy } = proxied;
    try {
      const { socket } = await context.dialer.dial(target, { signal });
      socket.destroy();
    } catch (error) {
      signal.throwIfAborted();
      // What goes wrong with TLS, behind the proxy, is for another check.
      if (!isLandfallError(error) || !error.code.startsWith("endpoint.tls-")) {
        const code = failureOf(isLandfallError(error) ? error.service?.status : undefined);
        return { summary: `${proxy} makes no connection`, findings: [found(code, { text: saidBy(error) })] };
      }
    }
    return { summary: `${proxy} makes connections to ${target.host}`, data: { proxy, host: target.host } };
  },
});

function failureOf(status: number | undefined): "credentials" | "forbidden" | "no-way" | "unreachable" {
  if (status === 407) return "credentials";
  if (status === 403) return "forbidden";
  return status !== undefined && status >= 500 ? "no-way" : "unreachable";
}

async function firstProxied(context: DoctorContext) {
  for (const service of ["dps", "hub"] as const) {
    const subject = await context.subject(service);
    const target = subject && dialTargetOf(subject, 443);
    const seen = target && evidenceFor(subject.evidence, target.host)?.proxy;
    if (target?.proxy === "allowed" && seen?.applies) return { target, proxy: seen.proxy };
  }
  return undefined;
}
