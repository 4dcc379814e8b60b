import { setMaxListeners } from "node:events";
import type { Clock } from "../clock.ts";
import type { LoadedFile } from "../config/load.ts";
import { isLandfallError } from "../errors.ts";
import { version } from "../version.ts";
import { allChecks } from "./catalogue.ts";
import { configurationFailure } from "./checks/configuration.ts";
import type { DoctorContext } from "./context.ts";
import { diagnose } from "./diagnosis/diagnose.ts";
import { type DoctorReport, reportOf } from "./report.ts";
import type { CheckResult } from "./result.ts";
import { runChecks } from "./run-checks.ts";
import { type Selection, selectChecks } from "./select-checks.ts";

/** What an examination works with. */
export interface ExamineOptions extends Selection {
  readonly clock: Clock;
  /** Gives the configuration; rejects with `config.*`. */
  readonly load: () => Promise<LoadedFile>;
  /** Opens a context for it; `limit` aborts when the time of the examination is up. */
  readonly open: (loaded: LoadedFile, limit: AbortSignal) => Promise<DoctorContext & AsyncDisposable>;
  /** Longest time for everything, in milliseconds. Default 60 000. */
  readonly timeLimitMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called with each result, in the order of the checks. */
  readonly onResult?: (result: CheckResult) => void;
}

/**
 * Runs the checks and says what they come to. Changes nothing on this machine or in the cloud.
 * Rejects with `cli.usage` for a selection that names no check, or with `signal.reason`.
 */
export async function examine(options: ExamineOptions): Promise<DoctorReport> {
  const { clock, load, open, timeLimitMs = 60_000, signal, onResult } = options;
  const { checks, excluded } = selectChecks(allChecks, options);
  const startedAtMs = clock.now();
  const startedAt = clock.elapsed();
  const conclude = (results: readonly CheckResult[], { complete = true, configured = true } = {}): DoctorReport =>
    reportOf({
      version,
      startedAtMs,
      durationMs: clock.elapsed() - startedAt,
      complete,
      configured,
      diagnosis: diagnose(results) ?? null,
      checks: results,
    });

  const limit = new AbortController();
  // Every check listens, and every query of some.
  setMaxListeners(0, limit.signal);
  const done = new AbortController();
  clock.sleep(timeLimitMs, { signal: done.signal }).then(
    () => limit.abort(new Error("the time for the whole examination was up")),
    () => {},
  );
  const onAbort = (): void => limit.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    const loaded = await load();
    await using context = await open(loaded, limit.signal);
    const options = { clock, excluded, limit: limit.signal, ...(onResult === undefined ? {} : { onResult }) };
    const run = await runChecks(checks, context, options);
    signal?.throwIfAborted();
    return conclude(run.results, run);
  } catch (error) {
    signal?.throwIfAborted();
    // Whatever else is thrown here is a fault of the doctor's own.
    if (!isLandfallError(error)) throw error;
    const failure = configurationFailure(error);
    onResult?.(failure);
    return conclude([failure], { configured: false });
  } finally {
    done.abort();
    signal?.removeEventListener("abort", onAbort);
  }
}
