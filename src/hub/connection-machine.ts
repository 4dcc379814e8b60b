import {
  afterFailedAttempt,
  afterLostConnection,
  type ConnectionPolicy,
  type Consequence,
  type Moment,
  noSetbacks,
  type ProvisioningReason,
  type Setbacks,
} from "./setbacks.ts";

/*
 * The life of a session's connection, as a pure function. One connection at a time, one attempt at a time.
 *
 *   idle ──> connecting ──> connected ──> renewing ──> connecting …      planned: nothing is lost
 *                ^  │            │
 *                │  v            v
 *                ├─ waiting <────┤                                       dropped, refused, unreachable
 *                └─ displaced <──┘                                       thrown out again and again
 *
 *   any of them ──> stopping ──> stopped
 *
 *   state        waits for
 *   ───────────  ───────────────────────────────────────────────────────
 *   idle         somebody to start it
 *   connecting   the attempt to succeed or fail
 *   connected    the connection to end, or a reason to replace it
 *   renewing     the old connection to be retired
 *   waiting      the backoff timer
 *   displaced    the long timer
 *   stopping     the attempt, or the connection's retirement
 *
 * No failure ends the session: whether another assignment is needed is for its owner to decide, and until then the one
 * there is may come back. So a refusal asks for provisioning, and is tried again like everything else.
 */

/** Why a connection is made. `renewal`, `subscriptions` and `move` replace one that was fine. */
export type ConnectCause = "start" | "retry" | "renewal" | "subscriptions" | "move";

/** How a connection is retired: to be replaced, for good, or at once. */
export type RetirementPurpose = "replace" | "stop" | "abort";

/** Where a connection stands. */
export type ConnectionState =
  | { readonly kind: "idle" }
  | {
      readonly kind: "connecting";
      readonly cause: ConnectCause;
      /** The connection before was closed on purpose: should this attempt fail, the session is down as of now. */
      readonly planned: boolean;
      /** The attempt goes to where the session no longer wants to be; it is being cancelled. */
      readonly superseded: boolean;
      readonly setbacks: Setbacks;
    }
  | { readonly kind: "connected"; readonly sinceMs: number; readonly setbacks: Setbacks }
  | { readonly kind: "renewing"; readonly cause: ConnectCause; readonly setbacks: Setbacks }
  | { readonly kind: "waiting"; readonly setbacks: Setbacks }
  | { readonly kind: "displaced"; readonly setbacks: Setbacks }
  | { readonly kind: "stopping"; readonly awaits: "attempt" | "retirement"; readonly purpose: "stop" | "abort" }
  | { readonly kind: "stopped" };

type StateOf<Kind extends ConnectionState["kind"]> = Extract<ConnectionState, { kind: Kind }>;

/** What happens to a connection. */
export type ConnectionEvent =
  | { readonly kind: "start" }
  | { readonly kind: "connected" }
  | { readonly kind: "connect-failed"; readonly error: Error }
  /** The connection ended without our doing. `ours`: what we sent is the likely reason. */
  | { readonly kind: "ended"; readonly error: Error; readonly ours: boolean }
  /** The credential will expire soon. */
  | { readonly kind: "renewal-due" }
  /** The session wants to hear more than it has subscribed to. */
  | { readonly kind: "subscriptions-changed" }
  /** The session belongs to another hub, or has another identity. */
  | { readonly kind: "moved" }
  | { readonly kind: "retired" }
  | { readonly kind: "timer" }
  /** `abrupt`: at once, without waiting for what is under way. */
  | { readonly kind: "stop"; readonly abrupt: boolean };

/** A {@link ConnectionEvent} and when it happened. */
export type ConnectionInput = Moment & ConnectionEvent;

/** What is to be done now, in order. */
export type ConnectionEffect =
  /** Answered by `connected` or `connect-failed`. */
  | { readonly kind: "connect"; readonly cause: ConnectCause }
  /** Makes the attempt under way end soon; it is still answered. */
  | { readonly kind: "cancel-connect" }
  /** Use the connection. Answered by `ended`, unless it is retired first. */
  | { readonly kind: "serve"; readonly cause: ConnectCause }
  /** The session is down, unplanned. */
  | { readonly kind: "lose"; readonly error: Error }
  /** Finish what is under way and close. Answered by `retired`, once, also when asked again in a greater hurry. */
  | { readonly kind: "retire"; readonly purpose: RetirementPurpose }
  /** Answered by `timer`. `failures`: attempts that failed in a row. */
  | { readonly kind: "wait"; readonly delayMs: number; readonly error: Error; readonly failures: number }
  | { readonly kind: "cancel-wait" }
  | { readonly kind: "report-displaced"; readonly delayMs: number; readonly error: Error }
  | {
      readonly kind: "ask-provisioning";
      readonly reason: ProvisioningReason;
      readonly error: Error;
      readonly failures: number;
    };

/** The next state, and what to do on the way. */
export interface ConnectionStep {
  readonly state: ConnectionState;
  readonly effects: readonly ConnectionEffect[];
}

/** The step that `input` leads to from `state`, or `undefined` where it means nothing there. */
export function next(
  state: ConnectionState,
  input: ConnectionInput,
  policy: ConnectionPolicy,
): ConnectionStep | undefined {
  if (input.kind === "stop") return stop(state, input.abrupt);
  switch (state.kind) {
    case "idle":
      return input.kind === "start" ? connect("start", noSetbacks) : undefined;
    case "connecting":
      return whileConnecting(state, input, policy);
    case "connected":
      return whileConnected(state, input, policy);
    case "renewing":
      if (input.kind === "moved") return { state: { ...state, cause: "move", setbacks: noSetbacks }, effects: [] };
      return input.kind === "retired" ? connect(state.cause, state.setbacks, true) : undefined;
    case "waiting":
    case "displaced":
      if (input.kind === "moved") return preceded({ kind: "cancel-wait" }, connect("move", noSetbacks));
      return input.kind === "timer" ? connect("retry", state.setbacks) : undefined;
    case "stopping":
      return whileStopping(state, input);
    case "stopped":
      return undefined;
  }
}

function whileConnecting(
  state: StateOf<"connecting">,
  input: ConnectionInput,
  policy: ConnectionPolicy,
): ConnectionStep | undefined {
  const { cause, planned, superseded } = state;
  switch (input.kind) {
    case "connected": {
      if (superseded) return replace("move", noSetbacks);
      const setbacks = { ...state.setbacks, failures: 0 };
      return { state: { kind: "connected", sinceMs: input.atMs, setbacks }, effects: [{ kind: "serve", cause }] };
    }
    case "connect-failed": {
      if (superseded) return connect("move", noSetbacks, planned);
      const { error } = input;
      const step = wait(afterFailedAttempt(state.setbacks, error, input, policy), error);
      return planned ? preceded({ kind: "lose", error }, step) : step;
    }
    case "moved":
      return superseded ? undefined : { state: { ...state, superseded: true }, effects: [{ kind: "cancel-connect" }] };
    default:
      return undefined;
  }
}

function whileConnected(
  state: StateOf<"connected">,
  input: ConnectionInput,
  policy: ConnectionPolicy,
): ConnectionStep | undefined {
  const proven = input.atMs - state.sinceMs >= policy.provenAfterMs;
  const setbacks = proven ? noSetbacks : state.setbacks;
  switch (input.kind) {
    case "ended": {
      const { error, ours } = input;
      const consequence = afterLostConnection(setbacks, { error, proven, ours }, input, policy);
      return preceded({ kind: "lose", error }, wait(consequence, error));
    }
    case "renewal-due":
      return replace("renewal", setbacks);
    case "subscriptions-changed":
      return replace("subscriptions", setbacks);
    case "moved":
      return replace("move", noSetbacks);
    default:
      return undefined;
  }
}

function whileStopping({ awaits, purpose }: StateOf<"stopping">, input: ConnectionInput): ConnectionStep | undefined {
  // An attempt can be too quick to be cancelled.
  if (awaits === "attempt" && input.kind === "connected") return retireForGood(purpose);
  return input.kind === (awaits === "attempt" ? "connect-failed" : "retired") ? stopped : undefined;
}

function stop(state: ConnectionState, abrupt: boolean): ConnectionStep | undefined {
  const purpose = abrupt ? "abort" : "stop";
  switch (state.kind) {
    case "idle":
      return stopped;
    case "waiting":
    case "displaced":
      return preceded({ kind: "cancel-wait" }, stopped);
    case "connecting":
      return { state: { kind: "stopping", awaits: "attempt", purpose }, effects: [{ kind: "cancel-connect" }] };
    case "connected":
    case "renewing":
      return retireForGood(purpose);
    case "stopping": {
      const hastened = abrupt && state.purpose === "stop";
      if (!hastened) return undefined;
      return state.awaits === "retirement" ? retireForGood(purpose) : { state: { ...state, purpose }, effects: [] };
    }
    case "stopped":
      return undefined;
  }
}

function connect(cause: ConnectCause, setbacks: Setbacks, planned = false): ConnectionStep {
  return {
    state: { kind: "connecting", cause, planned, superseded: false, setbacks },
    effects: [{ kind: "connect", cause }],
  };
}

function replace(cause: ConnectCause, setbacks: Setbacks): ConnectionStep {
  return { state: { kind: "renewing", cause, setbacks }, effects: [{ kind: "retire", purpose: "replace" }] };
}

function wait({ setbacks, delayMs, displaced, provisioning }: Consequence, error: Error): ConnectionStep {
  const { failures } = setbacks;
  const effects: ConnectionEffect[] = [];
  if (displaced) effects.push({ kind: "report-displaced", delayMs, error });
  if (provisioning) effects.push({ kind: "ask-provisioning", reason: provisioning, error, failures });
  effects.push({ kind: "wait", delayMs, error, failures });
  return { state: { kind: displaced ? "displaced" : "waiting", setbacks }, effects };
}

function retireForGood(purpose: "stop" | "abort"): ConnectionStep {
  return { state: { kind: "stopping", awaits: "retirement", purpose }, effects: [{ kind: "retire", purpose }] };
}

const stopped: ConnectionStep = { state: { kind: "stopped" }, effects: [] };

function preceded(first: ConnectionEffect, { state, effects }: ConnectionStep): ConnectionStep {
  return { state, effects: [first, ...effects] };
}
