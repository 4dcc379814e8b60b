import { shown } from "../../endpoint/dial-error.ts";
import { type Check, type CheckCall, defineCheck } from "../check.ts";
import { destinationsOf } from "../destinations.ts";
import type { Finding } from "../result.ts";
import { type PortNeed, portNeed, type ServiceName, services } from "../service.ts";
import { probeTcp, type TcpAttempt } from "../tcp-probe.ts";

const failures = {
  "no-answer": {
    status: "failed or warning",
    when: "Nothing answers at any vetted address.",
    cause:
      "A network security group or firewall drops the port; or the private endpoint is not Approved, the record is stale, or a VPN is down.",
    remedy:
      "Ask whoever runs the network which of them it is; the other ports, and the other services, narrow it down.",
  },
  refused: {
    status: "failed or warning",
    when: "The connection is turned away (RST).",
    cause: "A firewall rejects the port, or the address belongs to another machine by now (stale record).",
    remedy:
      "Ask whoever runs the network for the firewall's rule, and the owner of the virtual network whether the record is current.",
  },
  "host-unreachable": {
    status: "failed or warning",
    when: "The network says that the address cannot be reached (EHOSTUNREACH).",
    cause: "Nothing has the address any more (stale record), or a firewall rejects with ICMP.",
    remedy: "Ask the owner of the virtual network whether the record holds the private endpoint's address of today.",
  },
  "no-route": {
    status: "failed or warning",
    when: "This machine has no route to the address (ENETUNREACH).",
    cause: "The VPN or the network interface is down, or the route was never set.",
    remedy: "Bring the VPN or the interface up; `ip route get ADDRESS` shows the route.",
  },
  broken: {
    status: "failed or warning",
    when: "The connection fails in another way.",
    cause: "The system's error tells.",
    remedy: "Ask whoever runs the network, with the error at hand.",
  },
  "some-addresses": {
    status: "warning",
    when: "Some of the vetted addresses cannot be reached; others can.",
    cause: "One of several records is stale, or one of several paths is down.",
    remedy: "Ask the owner of the virtual network to remove the record that leads nowhere.",
  },
} as const;

type TcpFailure = keyof typeof failures;

/** Whether TCP to a port of a service can be opened, at every address that the decision allows. */
export function tcp(service: ServiceName, port: number): Check {
  const { title } = services[service];
  return defineCheck({
    id: `tcp.${service}.${port}`,
    group: "tcp",
    title: `TCP port ${port} of ${title}`,
    does:
      `Opens TCP to port ${port} at every address that the decision allows, and hangs up; no byte is sent. ` +
      "A closed port that nothing here uses is no finding.",
    dependsOn: [`endpoint.${service}`],
    failures,
    async run(context, { signal, found }) {
      const subject = await context.subject(service);
      const host = subject?.decision.host;
      if (subject === undefined || host === undefined) return { skipped: `no way to ${title} is known` };
      const destinations = destinationsOf(subject, context.settings.network.connectTo, port);
      if ("none" in destinations) return { skipped: destinations.none, stops: !destinations.proxied };
      const attempts = await Promise.all(
        destinations.addresses.map((address) => probeTcp(context, { host, address, port }, signal)),
      );
      const need = portNeed(service, port, context.settings);
      const open = attempts.filter(({ outcome }) => outcome === "open").length;
      return {
        summary: summaryOf(attempts, need),
        findings: findingsOf(attempts, { port, need }, found),
        evidence: attempts.map((each) => `${shown(each.address, port)}: ${wordsFor(each)}`),
        data: {
          host,
          port,
          need,
          path: subject.decision.path,
          attempts: attempts.map(({ address, outcome, durationMs }) => ({ address, outcome, durationMs })),
        },
        stops: open === 0,
      };
    },
  });
}

function summaryOf(attempts: readonly TcpAttempt[], need: PortNeed): string {
  const open = attempts.filter(({ outcome }) => outcome === "open").length;
  if (open > 0) return attempts.length === 1 ? "open" : `open at ${open} of ${attempts.length} addresses`;
  const closed = [...new Set(attempts.map(({ outcome }) => outcome))].join(", ");
  return `closed (${closed})${need === "unused" ? "; nothing here uses it" : ""}`;
}

function findingsOf(
  attempts: readonly TcpAttempt[],
  { port, need }: { readonly port: number; readonly need: PortNeed },
  found: CheckCall<TcpFailure>["found"],
): Finding[] {
  const lost = attempts.filter(({ outcome }) => outcome !== "open");
  const [first] = lost;
  const text = lost.map((each) => `${shown(each.address, port)}: ${wordsFor(each)}`).join("; ");
  if (first === undefined || first.outcome === "open") return [];
  if (lost.length < attempts.length) return [found("some-addresses", { text })];
  if (need === "unused") return [];
  return [found(first.outcome, { text, status: need === "needed" ? "failed" : "warning" })];
}

function wordsFor({ detail = "open", durationMs }: TcpAttempt): string {
  return `${detail} (${durationMs} ms)`;
}
