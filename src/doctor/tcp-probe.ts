import { withDeadline } from "../deadline.ts";
import { describeCause, LandfallError } from "../errors.ts";
import type { DoctorContext, Reach } from "./context.ts";

/**
 * How an attempt to open TCP ended.
 *
 * - `no-answer`: nothing came back; packets are dropped
 * - `refused`: turned away (RST)
 * - `host-unreachable`, `no-route`: the network, or this machine, knows no way there
 * - `broken`: anything else
 */
export type TcpOutcome = "open" | "no-answer" | "refused" | "host-unreachable" | "no-route" | "broken";

/** One attempt at one address. */
export interface TcpAttempt {
  readonly address: string;
  readonly outcome: TcpOutcome;
  /** What the system said; absent when the port is open. */
  readonly detail?: string;
  readonly durationMs: number;
}

/** Longest wait for one address, in milliseconds; slow links open within three retransmissions. */
const patienceMs = 5000;

const outcomes: Readonly<Record<string, TcpOutcome>> = {
  ETIMEDOUT: "no-answer",
  ECONNREFUSED: "refused",
  ECONNRESET: "refused",
  EHOSTUNREACH: "host-unreachable",
  EHOSTDOWN: "host-unreachable",
  ENETUNREACH: "no-route",
  ENETDOWN: "no-route",
  EADDRNOTAVAIL: "no-route",
};

/** Tries to open TCP to one address. Rejects only with `signal.reason`. */
export async function probeTcp(
  { clock, reach }: Pick<DoctorContext, "clock" | "reach">,
  target: Parameters<Reach>[0],
  signal: AbortSignal,
): Promise<TcpAttempt> {
  const startedAt = clock.elapsed();
  const ended = (): number => Math.round(clock.elapsed() - startedAt);
  const { address } = target;
  const expired = (): Error => new LandfallError("endpoint.connect-timeout", `no answer within ${patienceMs} ms`);
  try {
    await withDeadline((limit) => reach(target, { signal: limit }), { clock, ms: patienceMs, expired, signal });
    return { address, outcome: "open", durationMs: ended() };
  } catch (error) {
    signal.throwIfAborted();
    return { address, ...judge(error), durationMs: ended() };
  }
}

function judge(error: unknown): Pick<TcpAttempt, "outcome" | "detail"> {
  const cause = error instanceof LandfallError ? (error.cause ?? error) : error;
  const { code = "" } = cause as { readonly code?: string };
  const outcome = code === "endpoint.connect-timeout" ? "no-answer" : (outcomes[code] ?? "broken");
  return { outcome, detail: describeCause(cause) };
}
