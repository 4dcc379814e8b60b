import { LandfallError } from "../errors.ts";
import type { DpsResponse } from "../transport/transport.ts";
import type { Assignment } from "./assignment.ts";
import { afterPoll, nextPollAtMs, type PollHistory, pollDelayMs, retryDelayMs, throttleDelayMs } from "./pace.ts";
import { refusal } from "./refusal.ts";
import { type RegistrationAnswer, readAnswer } from "./wire.ts";

/*
 * One registration with DPS, from the first connection to the assignment, as a pure function.
 *
 *   idle ──> connecting ──> registering ──> waiting ──> polling ──> done
 *                 ^              │             │  ^        │
 *                 │              v             │  └────────┤ under way, throttled, out of order
 *                 ├───────── challenged        │           │
 *                 └────────────────────────────┘ <─────────┘ connection lost
 *
 * What passes by itself is waited for in here, until the deadline; what somebody has to look at ends the registration.
 *
 *   answer or event                      while registering          while polling
 *   ───────────────────────────────────  ─────────────────────────  ─────────────────────────────────────────────
 *   assigning                            poll after the named delay (retry-after, bounded to 1 … 300 s) or 2 s
 *   assigned                             done                       done
 *   failed, disabled                     ends                       ends
 *   401 with a blob                      answer the challenge, connect and register again; the 4th time ends
 *   401 after an answered challenge      forget the answer and register again after backoff; when 3 were answered it ends
 *   401, other 4xx                       ends                       ends
 *   404                                  ends                       register again after backoff; the 4th time ends
 *   409, 412, 5xx                        register again             poll again             after backoff
 *   429                                  register again             poll again             after the named delay and backoff
 *   not a registration status            ends                       ends
 *   connection lost, silence, no route   connect, register again    connect, poll the same operation; after backoff
 *   an error of retry class `never`      ends                       ends
 *   a wait that ends after the deadline  ends now, with the failure that made it necessary
 *   the deadline                         ends with `provisioning.timeout`, caused by the last failure
 *
 * However these mix, there are never more than 5 polls in 10 seconds.
 */

/** Where a registration stands. */
export type RegistrationState =
  | { readonly kind: "idle" }
  | { readonly kind: "connecting"; readonly progress: Progress }
  | { readonly kind: "registering"; readonly progress: Progress }
  | { readonly kind: "challenged"; readonly progress: Progress }
  | { readonly kind: "waiting"; readonly untilMs: number; readonly progress: Progress }
  | { readonly kind: "polling"; readonly progress: Progress }
  | { readonly kind: "done"; readonly assignment: Assignment }
  | { readonly kind: "failed"; readonly error: LandfallError };

/** What is remembered from step to step. Times are on the scale of {@link Moment.atMs}. */
interface Progress {
  readonly timeoutMs: number;
  readonly deadlineAtMs: number;
  readonly connected: boolean;
  /** The operation to ask about; without one, the next step is to register. */
  readonly operationId: string | undefined;
  readonly polls: PollHistory;
  /** Failures since the last answer that was progress. */
  readonly failures: number;
  readonly lastFailure: LandfallError | undefined;
  /** Challenges that were answered. */
  readonly challenges: number;
  /** The answer to the last challenge is used up. */
  readonly spent: boolean;
  readonly forgottenOperations: number;
}

/** When an input happened, and the chance that goes with it. */
export interface Moment {
  /** Milliseconds that never run backwards, from an arbitrary start. */
  readonly atMs: number;
  /** A uniform random number in [0, 1), used up if this input leads to a random delay. */
  readonly draw: number;
}

/** What happens to a registration. */
export type RegistrationInput = Moment &
  /** `timeoutMs` is for all of it. */
  (
    | { readonly kind: "started"; readonly timeoutMs: number }
    | { readonly kind: "connected" }
    | { readonly kind: "answered"; readonly response: DpsResponse }
    | { readonly kind: "challenge-answered" }
    /** The effect under way could not be carried out. */
    | { readonly kind: "faulted"; readonly error: LandfallError }
    | { readonly kind: "woke" }
    | { readonly kind: "deadline" }
  );

/** What is to be done now. Each effect but the last two is answered by one input; there is one at a time. */
export type RegistrationEffect =
  /**
   * Open a channel with the newest credential, closing an earlier one. `anew`: with the one from before the first
   * challenge, and with what is asked for evidence now.
   */
  | { readonly kind: "connect"; readonly anew?: true }
  | { readonly kind: "send-register" }
  | { readonly kind: "send-status"; readonly operationId: string }
  | { readonly kind: "answer-challenge"; readonly blob: Uint8Array }
  /** `after` is the failure that made the wait necessary; absent between polls of a registration that goes well. */
  | { readonly kind: "wait"; readonly ms: number; readonly after?: LandfallError }
  | { readonly kind: "finish"; readonly assignment: Assignment }
  | { readonly kind: "fail"; readonly error: LandfallError };

/** The next state, and what to do there. */
export interface RegistrationStep {
  readonly state: RegistrationState;
  readonly effect: RegistrationEffect;
}

const challengesAnswered = 3;
const operationsStartedAgain = 3;

/** The step that `input` leads to from `state`, or `undefined` where it means nothing there. */
export function next(state: RegistrationState, input: RegistrationInput): RegistrationStep | undefined {
  if (state.kind === "idle") return input.kind === "started" ? begin(input.timeoutMs, input) : undefined;
  if (state.kind === "done" || state.kind === "failed") return undefined;
  if (input.kind === "deadline") return fail(outOfTime(state.kind, state.progress));
  if (state.kind === "waiting") {
    if (input.kind !== "woke") return undefined;
    // A timer may fire a moment early.
    const early = input.atMs < state.untilMs;
    return early ? waitUntil(state.untilMs, state.progress, input) : proceed(state.progress, input);
  }
  const progress = withPollCounted(state, input);
  if (input.kind === "faulted") return faulted(progress, input.error, input);
  switch (state.kind) {
    case "connecting":
      return input.kind === "connected" ? proceed({ ...progress, connected: true, spent: false }, input) : undefined;
    case "registering":
    case "polling":
      return input.kind === "answered" ? judge(state.kind, progress, input.response, input) : undefined;
    case "challenged":
      return input.kind === "challenge-answered"
        ? proceed({ ...progress, challenges: progress.challenges + 1, spent: false }, input)
        : undefined;
  }
}

/** A poll counts when its answer is in, or when none will come. */
function withPollCounted({ kind, progress }: UnfinishedState, { atMs }: Moment): Progress {
  return kind === "polling" ? { ...progress, polls: afterPoll(progress.polls, atMs) } : progress;
}

function begin(timeoutMs: number, moment: Moment): RegistrationStep {
  return proceed(
    {
      timeoutMs,
      deadlineAtMs: moment.atMs + timeoutMs,
      connected: false,
      operationId: undefined,
      polls: [],
      failures: 0,
      lastFailure: undefined,
      challenges: 0,
      spent: false,
      forgottenOperations: 0,
    },
    moment,
  );
}

/** On with whatever is missing: a connection, an operation, or its outcome. */
function proceed(progress: Progress, moment: Moment): RegistrationStep {
  if (!progress.connected) {
    const effect = progress.spent ? ({ kind: "connect", anew: true } as const) : ({ kind: "connect" } as const);
    return { state: { kind: "connecting", progress }, effect };
  }
  const { operationId } = progress;
  if (operationId === undefined) return { state: { kind: "registering", progress }, effect: { kind: "send-register" } };
  const pollAtMs = nextPollAtMs(progress.polls);
  if (moment.atMs < pollAtMs) return waitUntil(pollAtMs, progress, moment);
  return { state: { kind: "polling", progress }, effect: { kind: "send-status", operationId } };
}

function judge(
  asked: "registering" | "polling",
  progress: Progress,
  response: DpsResponse,
  moment: Moment,
): RegistrationStep {
  const answer = readAnswer(response);
  switch (answer.kind) {
    case "assigned":
      return {
        state: { kind: "done", assignment: answer.assignment },
        effect: { kind: "finish", assignment: answer.assignment },
      };
    case "assigning":
      return underWay(progress, answer.operationId, response.retryAfterMs, moment);
    case "challenge":
      return challenged(progress, answer.blob);
    case "refused":
      return refused(asked, progress, answer, response.retryAfterMs, moment);
    case "failed":
    case "disabled":
    case "malformed":
      return fail(refusal(answer));
  }
}

function underWay(
  progress: Progress,
  named: string | undefined,
  namedDelayMs: number | undefined,
  moment: Moment,
): RegistrationStep {
  // The answer to a poll may leave the operation id out.
  const operationId = named ?? progress.operationId;
  if (operationId === undefined) {
    return fail(refusal({ kind: "malformed", fault: "a registration under way without an operation id" }));
  }
  const calm = { ...progress, operationId, failures: 0, lastFailure: undefined };
  const untilMs = moment.atMs + pollDelayMs(namedDelayMs);
  return untilMs < progress.deadlineAtMs ? waitUntil(untilMs, calm, moment) : fail(outOfTime("waiting", calm));
}

function challenged(progress: Progress, blob: Uint8Array): RegistrationStep {
  if (progress.challenges >= challengesAnswered) {
    const message = `DPS did not accept the answers to ${challengesAnswered} challenges and sent another`;
    return fail(new LandfallError("provisioning.unauthorized", message, { service: { status: 401 } }));
  }
  // The answer is a new credential, and a connection is opened with one credential.
  const again = { ...progress, connected: false, operationId: undefined };
  return { state: { kind: "challenged", progress: again }, effect: { kind: "answer-challenge", blob } };
}

function refused(
  asked: "registering" | "polling",
  progress: Progress,
  answer: Extract<RegistrationAnswer, { kind: "refused" }>,
  namedDelayMs: number | undefined,
  moment: Moment,
): RegistrationStep {
  const { failures, forgottenOperations } = progress;
  if (answer.status === 429) {
    const delayMs = throttleDelayMs(failures, moment.draw, namedDelayMs);
    return tryAgain(progress, refusal(answer, delayMs), delayMs, moment);
  }
  const error = refusal(answer);
  const delayMs = retryDelayMs(failures, moment.draw, namedDelayMs);
  if (answer.status === 404 && asked === "polling" && forgottenOperations < operationsStartedAgain) {
    const anew = { ...progress, operationId: undefined, forgottenOperations: forgottenOperations + 1 };
    return tryAgain(anew, error, delayMs, moment);
  }
  // An answer holds for one registration. One that was answered, and its answer lost, needs a new challenge.
  if (answer.status === 401 && progress.challenges > 0 && progress.challenges < challengesAnswered) {
    return tryAgain({ ...progress, connected: false, operationId: undefined, spent: true }, error, delayMs, moment);
  }
  return error.retry === "never" ? fail(error) : tryAgain(progress, error, delayMs, moment);
}

/** Nothing that failed leaves a connection that could be trusted any longer. */
function faulted(progress: Progress, error: LandfallError, moment: Moment): RegistrationStep {
  if (error.retry === "never") return fail(error);
  const delayMs = retryDelayMs(progress.failures, moment.draw, error.retryAfterMs);
  return tryAgain({ ...progress, connected: false }, error, delayMs, moment);
}

function tryAgain(progress: Progress, error: LandfallError, delayMs: number, moment: Moment): RegistrationStep {
  const untilMs = moment.atMs + delayMs;
  if (untilMs >= progress.deadlineAtMs) return fail(error);
  return waitUntil(untilMs, { ...progress, failures: progress.failures + 1, lastFailure: error }, moment);
}

function waitUntil(untilMs: number, progress: Progress, { atMs }: Moment): RegistrationStep {
  const { lastFailure } = progress;
  return {
    state: { kind: "waiting", untilMs, progress },
    effect: { kind: "wait", ms: untilMs - atMs, ...(lastFailure === undefined ? {} : { after: lastFailure }) },
  };
}

const fail = (error: LandfallError): RegistrationStep => ({
  state: { kind: "failed", error },
  effect: { kind: "fail", error },
});

type UnfinishedState = Extract<RegistrationState, { progress: Progress }>;

const occupations: Record<UnfinishedState["kind"], string> = {
  connecting: "connecting",
  registering: "waiting for the answer to the registration",
  challenged: "answering the challenge",
  waiting: "waiting for the time to ask again",
  polling: "waiting for the answer to a poll",
};

function outOfTime(during: UnfinishedState["kind"], { timeoutMs, lastFailure }: Progress): LandfallError {
  const after = lastFailure === undefined ? "" : `; the last failure was: ${lastFailure.message}`;
  return new LandfallError(
    "provisioning.timeout",
    `the registration did not finish within ${timeoutMs / 1000} s; it was ${occupations[during]}${after}`,
    { cause: lastFailure, ...(lastFailure?.service === undefined ? {} : { service: lastFailure.service }) },
  );
}
