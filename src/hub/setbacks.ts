import { fullJitterMs } from "../backoff.ts";
import { type ErrorCode, isLandfallError } from "../errors.ts";

/** Figures that the connection machine decides by. */
export interface ConnectionPolicy {
  /** Upper bound of the first delay between attempts, in milliseconds. Default 1000. */
  readonly backoffBaseMs: number;
  /** Upper bound of every such delay, in milliseconds. Default 60 000. */
  readonly backoffCapMs: number;
  /** A connection that held this long proved itself, in milliseconds; only then the backoff starts over. Default 60 000. */
  readonly provenAfterMs: number;
  /** Failed attempts in a row after which provisioning is asked for, and again after as many more. Default 10. */
  readonly provisionAfterFailures: number;
  /** Unproven connections that the peer closed, in a row, that make a displacement. At least 2, default 3. */
  readonly displacedAfter: number;
  /** The span these must lie in, in milliseconds. Default 600 000. */
  readonly displacedWindowMs: number;
  /**
   * Upper bound of the first delay after a displacement, in milliseconds; the lower bound is half of it. It doubles with
   * every further one. Default 300 000.
   */
  readonly displacedBaseMs: number;
  /** Upper bound of every delay after a displacement, in milliseconds. Default 1 800 000. */
  readonly displacedCapMs: number;
}

/** When something happened, and the chance that goes with it. */
export interface Moment {
  /** Milliseconds that never run backwards, from an arbitrary start. */
  readonly atMs: number;
  /** A uniform random number in [0, 1), used up if a random delay follows. */
  readonly draw: number;
}

/** What went wrong since a connection last proved itself. */
export interface Setbacks {
  /** Attempts that failed in a row. */
  readonly failures: number;
  /** Failed attempts and unproven connections: the exponent of the backoff. */
  readonly count: number;
  /** When the peer closed an unproven connection, the latest in a row. */
  readonly evictions: readonly number[];
  readonly displacements: number;
}

/** Nothing went wrong. */
export const noSetbacks: Setbacks = { failures: 0, count: 0, evictions: [], displacements: 0 };

/** Why provisioning is asked for: the hub said no, or could not be reached many times in a row. */
export type ProvisioningReason = "refused" | "unreachable";

/** What follows from a setback. */
export interface Consequence {
  readonly setbacks: Setbacks;
  /** Milliseconds until the next attempt. */
  readonly delayMs: number;
  readonly displaced: boolean;
  readonly provisioning?: ProvisioningReason;
}

/**
 * An attempt failed. A refusal asks for provisioning every time, other failures when there were many in a row.
 */
export function afterFailedAttempt(
  setbacks: Setbacks,
  error: Error,
  moment: Moment,
  policy: ConnectionPolicy,
): Consequence {
  const failures = setbacks.failures + 1;
  const consequence = backOff({ ...setbacks, failures, evictions: [] }, error, moment, policy);
  if (isRefusal(error)) return { ...consequence, provisioning: "refused" };
  const unreachable = failures % policy.provisionAfterFailures === 0;
  return unreachable ? { ...consequence, provisioning: "unreachable" } : consequence;
}

/** A connection that ended, as far as it matters. */
export interface EndedConnection {
  readonly error: Error;
  /** Whether it lasted long enough to count as good. */
  readonly proven: boolean;
  /** Whether something that we sent is the likely reason. */
  readonly ours: boolean;
}

/**
 * A connection ended that should have lasted. MQTT gives no reason when the hub closes, so displacement is an inference,
 * never a certainty: several connections in a row that the peer closed in an orderly way, soon after it had accepted
 * them, where nothing that we sent can be why.
 */
export function afterLostConnection(
  setbacks: Setbacks,
  { error, proven, ours }: EndedConnection,
  moment: Moment,
  policy: ConnectionPolicy,
): Consequence {
  if (proven) return backOff(noSetbacks, error, moment, policy);
  const { atMs } = moment;
  const evicted = isPeerClose(error) && !ours;
  const evictions = evicted ? [...setbacks.evictions, atMs].slice(-policy.displacedAfter) : [];
  const [first = atMs] = evictions;
  const often = evictions.length >= policy.displacedAfter && atMs - first <= policy.displacedWindowMs;
  const again = evicted && setbacks.displacements > 0;
  const counted = { ...setbacks, evictions };
  return often || again ? standBack(counted, moment, policy) : backOff(counted, error, moment, policy);
}

/** Full jitter; a delay that the peer named is added, as the least. */
function backOff(setbacks: Setbacks, error: Error, { draw }: Moment, policy: ConnectionPolicy): Consequence {
  const jitterMs = fullJitterMs(setbacks.count, draw, { baseMs: policy.backoffBaseMs, capMs: policy.backoffCapMs });
  const namedMs = (isLandfallError(error) && error.retryAfterMs) || 0;
  return { setbacks: { ...setbacks, count: setbacks.count + 1 }, delayMs: namedMs + jitterMs, displaced: false };
}

/** Who fights for a device id wins nothing, both lose their connection by turns: so this delay is minutes. */
function standBack(setbacks: Setbacks, { draw }: Moment, policy: ConnectionPolicy): Consequence {
  const { displacements } = setbacks;
  const bounds = { baseMs: policy.displacedBaseMs, capMs: policy.displacedCapMs };
  const delayMs = fullJitterMs(displacements, (1 + draw) / 2, bounds);
  return { setbacks: { ...setbacks, displacements: displacements + 1 }, delayMs, displaced: true };
}

/** Without the key that came with its assignment a device cannot even ask the hub; DPS sends another. */
const refusals: ReadonlySet<ErrorCode> = new Set([
  "transport.unauthorized",
  "transport.identifier-rejected",
  "tpm.identity-missing",
]);
const refusalStatuses: ReadonlySet<number | undefined> = new Set([401, 403, 404]);

/** Whether the hub said that it does not want this device: it may have moved, or its credential may have changed. */
function isRefusal(error: Error): boolean {
  if (!isLandfallError(error)) return false;
  return refusals.has(error.code) || (error.code === "transport.refused" && refusalStatuses.has(error.service?.status));
}

/** Whether the peer closed in an orderly way; a network failure comes with a cause. */
function isPeerClose(error: Error): boolean {
  return isLandfallError(error) && error.code === "transport.closed" && error.cause === undefined;
}
