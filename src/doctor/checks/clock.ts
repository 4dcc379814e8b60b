import { routeOf } from "../../endpoint/route-of.ts";
import { exchangeHttps } from "../../transport/https/https-exchange.ts";
import { defineCheck } from "../check.ts";
import type { DoctorContext } from "../context.ts";
import { requestTimeoutMs } from "../limits.ts";
import type { CheckResult } from "../result.ts";
import { type ServiceName, services } from "../service.ts";

/** A token that is signed by a clock off by this much is likely refused. */
const failedMs = 300_000;
const warnedMs = 60_000;

const withHttps = (["dps", "hub", "digital-twins", "device-update"] as const).map(
  (service) => ({ service, needs: `tls.${service}.443` }) as const,
);

/** Whether this machine's clock is right, by the clock of a service. */
export const clock = defineCheck({
  id: "time.clock",
  group: "time",
  title: "Clock of this machine",
  does: "Sends GET / without credentials to the first service that HTTPS works with, and holds the header Date of its answer against this machine's clock.",
  dependsOn: ["config.valid"],
  follows: withHttps.map(({ needs }) => needs),
  failures: {
    wrong: {
      status: "failed",
      when: "The clock is off by more than five minutes.",
      cause: "The machine has no battery behind its clock, and no time server that it can reach.",
      remedy: "Set the clock, and let it follow a time server (NTP): tokens and certificates are refused otherwise.",
    },
    off: {
      status: "warning",
      when: "The clock is off by more than a minute.",
      cause: "No time server can be reached.",
      remedy: "Let the clock follow a time server (NTP).",
    },
  },
  async run(context, { signal, results, found }) {
    const [service] = usable(results);
    if (service === undefined)
      return { skipped: "HTTPS works with no service, so that none can be asked for the time" };
    const dateMs = await dateAt(context, service, signal);
    if (dateMs === undefined) return { skipped: `${services[service].title} does not tell the time` };
    // The header has whole seconds; half of one is the best guess.
    const offMs = Math.round(context.clock.now() - (dateMs + 500));
    const text = `this machine's clock is ${describe(offMs)} ${offMs > 0 ? "ahead" : "behind"}`;
    const size = Math.abs(offMs);
    const code = size > failedMs ? "wrong" : size > warnedMs ? "off" : undefined;
    return {
      summary: size < 2000 ? "right" : text,
      findings: code === undefined ? [] : [found(code, { text })],
      data: { offMs, service },
      stops: false,
    };
  },
});

function usable(results: ReadonlyMap<string, CheckResult>): Exclude<ServiceName, "event-hubs">[] {
  return withHttps.flatMap(({ service, needs }) => {
    const status = results.get(needs)?.status;
    return (status === "ok" || status === "warning") && results.get(needs)?.data.failure === undefined ? [service] : [];
  });
}

async function dateAt(
  { subject, dialer, clock: own }: DoctorContext,
  service: ServiceName,
  signal: AbortSignal,
): Promise<number | undefined> {
  const found = await subject(service);
  if (found === undefined) return undefined;
  const options = { dialer, clock: own, requestTimeoutMs };
  const { headers } = await exchangeHttps(options, routeOf(found.decision), { method: "GET", path: "/" }, { signal });
  const ms = Date.parse(headers.date ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}

function describe(offMs: number): string {
  const seconds = Math.round(Math.abs(offMs) / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
