import { fullJitterMs } from "../backoff.ts";

/** Between two polls when the service names no delay, in milliseconds. */
const defaultPollMs = 2000;
/** What a delay named by the service is bounded to, in milliseconds: no busy loop, and no sleep of days. */
const shortestNamedMs = 1000;
const longestNamedMs = 300_000;

/** DPS counts polls per device: no more than this many in any window of {@link pollWindowMs}. */
export const pollsPerWindow = 5;
export const pollWindowMs = 10_000;

/** Milliseconds to wait before a poll: what the service named, bounded to 1 s … 300 s, or 2 s. */
export function pollDelayMs(namedMs: number | undefined): number {
  return bounded(namedMs) ?? defaultPollMs;
}

/**
 * Milliseconds to wait after a failure: never less than what the service named (bounded as for polls), and a random
 * part on top, so that a fleet that was sent away at one moment does not come back at one moment.
 * @param failures failures in a row before this one
 * @param draw a uniform random number in [0, 1)
 */
export function retryDelayMs(failures: number, draw: number, namedMs: number | undefined): number {
  return (bounded(namedMs) ?? 0) + Math.ceil(fullJitterMs(failures, draw));
}

/**
 * The same for a throttling service. The random part starts as long as the delay itself: thousands of devices may have
 * been given the same one. Without a named delay the service is left alone for at least a second.
 */
export function throttleDelayMs(failures: number, draw: number, namedMs: number | undefined): number {
  const named = bounded(namedMs);
  const spread = fullJitterMs(failures, draw, { baseMs: named ?? 10_000, capMs: 60_000 });
  return (named ?? 1000) + Math.ceil(spread);
}

/**
 * The polls that still count against the limit, as the times of their answers. The service saw a poll before we saw its
 * answer, so a distance kept from answers is kept at the service too, whatever the network does to single messages.
 */
export type PollHistory = readonly number[];

/** The history after a poll that was answered, or given up, at `atMs`. */
export function afterPoll(history: PollHistory, atMs: number): PollHistory {
  return [...history, atMs].slice(-pollsPerWindow);
}

/** From when on another poll is allowed; same time scale as the history. */
export function nextPollAtMs(history: PollHistory): number {
  const [oldest] = history;
  return oldest !== undefined && history.length >= pollsPerWindow ? oldest + pollWindowMs : -Infinity;
}

function bounded(namedMs: number | undefined): number | undefined {
  if (namedMs === undefined || Number.isNaN(namedMs)) return undefined;
  return Math.ceil(Math.min(longestNamedMs, Math.max(shortestNamedMs, namedMs)));
}
