import type { Clock } from "../clock.ts";
import { withDeadline } from "../deadline.ts";
import { isLandfallError } from "../errors.ts";
import { type Check, type CheckCall, findingOf, type Outcome } from "./check.ts";
import type { DoctorContext } from "./context.ts";
import { type BrokenOff, type CheckResult, worstOf } from "./result.ts";
import { saidBy } from "./words.ts";

/** How {@link runChecks} runs. */
export interface RunOptions {
  readonly clock: Clock;
  /** Ids of checks that shall not run; those that depend on them are skipped too. Default: none. */
  readonly excluded?: ReadonlySet<string>;
  /** Aborts when the run has to end: what has not ended by then is `unknown`. */
  readonly limit: AbortSignal;
  /** Called with each result, in the order of the checks. */
  readonly onResult?: (result: CheckResult) => void;
}

/** Results of all checks, in their order. */
export interface Run {
  readonly results: readonly CheckResult[];
  /** Whether every check came to an end of its own. */
  readonly complete: boolean;
}

interface Ended {
  readonly result: CheckResult;
  readonly stops: boolean;
  readonly complete: boolean;
}

class CutShort extends Error {}

/**
 * Runs checks, each as soon as those that it depends on have ended. A check comes after the ones that it needs.
 * Never rejects: a check that fails, or does not end, has a result like any other.
 */
export async function runChecks(
  checks: readonly Check[],
  context: DoctorContext,
  { clock, excluded = new Set(), limit, onResult }: RunOptions,
): Promise<Run> {
  const started = new Map<string, Promise<Ended>>();
  for (const check of checks) {
    const needs = check.dependsOn.flatMap((id) => started.get(id) ?? []);
    const earlier = check.follows.flatMap((id) => started.get(id) ?? []);
    started.set(
      check.id,
      excluded.has(check.id)
        ? Promise.resolve(skip(check, "excluded", "left out, as asked"))
        : runWhenReady(check, context, { needs, earlier, clock, limit }),
    );
  }
  const ended: Ended[] = [];
  for (const each of started.values()) {
    const one = await each;
    onResult?.(one.result);
    ended.push(one);
  }
  return { results: ended.map(({ result }) => result), complete: ended.every(({ complete }) => complete) };
}

interface Readiness {
  readonly needs: readonly Promise<Ended>[];
  readonly earlier: readonly Promise<Ended>[];
  readonly clock: Clock;
  readonly limit: AbortSignal;
}

async function runWhenReady(
  check: Check,
  context: DoctorContext,
  { needs, earlier, clock, limit }: Readiness,
): Promise<Ended> {
  const [needed, before] = await Promise.all([Promise.all(needs), Promise.all(earlier)]);
  const missing = needed.find(({ stops }) => stops);
  if (missing !== undefined) {
    const { id, because } = missing.result;
    return because === "not-applicable"
      ? skip(check, "not-applicable", missing.result.summary)
      : skip(check, id, `needs ${id}`);
  }
  const startedAt = clock.elapsed();
  const results = new Map([...needed, ...before].map(({ result }) => [result.id, result]));
  const outcome = await attempt(check, context, { results, clock, limit });
  return conclude(check, outcome, clock.elapsed() - startedAt);
}

interface Attempted {
  readonly outcome: Outcome;
  readonly complete: boolean;
}

async function attempt(
  check: Check,
  context: DoctorContext,
  { results, clock, limit }: Pick<Readiness, "clock" | "limit"> & Pick<CheckCall, "results">,
): Promise<Attempted> {
  const expired = (): Error => new CutShort(`did not end within ${check.deadlineMs} ms`);
  const found: CheckCall["found"] = (code, facts) => findingOf(check, code, facts);
  try {
    const outcome = await withDeadline((signal) => check.run(context, { signal, results, found }), {
      clock,
      ms: check.deadlineMs,
      expired,
      signal: limit,
    });
    return { outcome, complete: true };
  } catch (error) {
    return { outcome: undecided(error, limit), complete: isLandfallError(error) };
  }
}

/** A check that threw found nothing out. */
function undecided(error: unknown, limit: AbortSignal): Outcome {
  if (limit.aborted) return broken("cut-short", "the time for the whole examination was up");
  if (error instanceof CutShort) return broken("cut-short", error.message);
  return broken(isLandfallError(error) ? "error" : "internal", saidBy(error));
}

function broken(code: BrokenOff, text: string): Outcome {
  const cause = {
    "cut-short": "Something that this check waits for is slow, or does not answer at all.",
    error: "Something that this check needs was not to be had.",
    internal: "A fault of the doctor's own.",
  }[code];
  const remedy = {
    "cut-short": "Run this check alone with --only, or allow more time with --time-limit.",
    error: "The text tells more.",
    internal: "Please report it, with the output of `landfall doctor --json`.",
  }[code];
  return { summary: text, findings: [{ code, status: "unknown", text, cause, remedy }] };
}

function conclude(check: Check, { outcome, complete }: Attempted, durationMs: number): Ended {
  if ("skipped" in outcome) {
    const { skipped: why, because = "not-applicable", stops = true } = outcome;
    return { ...skip(check, because, why), stops };
  }
  const { summary, findings = [], evidence = [], data = {} } = outcome;
  const { id, group, title } = check;
  const status = worstOf(findings.map((finding) => finding.status));
  const { stops = status === "failed" || status === "unknown" } = outcome;
  const result = { id, group, title, status, summary, findings, evidence, data, durationMs: Math.round(durationMs) };
  return { result, stops, complete };
}

function skip({ id, group, title }: Check, because: string, summary: string): Ended {
  const result = { id, group, title, status: "skipped", summary, findings: [], evidence: [], data: {} } as const;
  return { result: { ...result, because, durationMs: 0 }, stops: true, complete: true };
}
