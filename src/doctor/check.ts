import type { JsonObject } from "../json.ts";
import type { DoctorContext } from "./context.ts";
import type { CheckResult, Finding } from "./result.ts";

/** The parts of a device's way to its hub, in the order in which they are looked at and printed. */
export const groups = {
  config: "Configuration",
  credential: "Credential",
  state: "State",
  dns: "Names",
  endpoint: "Endpoints",
  proxy: "Proxy",
  tcp: "Connections",
  tls: "TLS",
  time: "Clock",
  access: "Services",
} as const;

/** A key of {@link groups}. */
export type CheckGroup = keyof typeof groups;

/** One way in which a check can turn out badly. */
export interface Failure {
  /** `failed or warning`: the check itself says when it is which. */
  readonly status: Finding["status"] | "failed or warning";
  /** When this is found, as a sentence. */
  readonly when: string;
  /** The likely cause, as a sentence. */
  readonly cause: string;
  /** What to do, and whom to ask for what. */
  readonly remedy: string;
}

/** What a check says. */
export type Outcome = Examined | NotApplicable;

/** What a check says that has nothing to look at here. */
export interface NotApplicable {
  /** Why, as the end of a line. */
  readonly skipped: string;
  /** Whether checks that depend on this one have nothing to look at either. Default true. */
  readonly stops?: boolean;
  /** The check, or the permission, that it lacks; default: nothing, the check is not meant for this configuration. */
  readonly because?: string;
}

/** What a check says that has looked. */
export interface Examined {
  readonly summary: string;
  readonly findings?: readonly Finding[];
  readonly evidence?: readonly string[];
  readonly data?: JsonObject;
  /**
   * Whether checks that depend on this one have nothing to stand on. Default: when the outcome is `failed` or `unknown`.
   */
  readonly stops?: boolean;
}

/** What is at hand while a check runs. */
export interface CheckCall<Code extends string = string> {
  /** Aborts when the check's own time, or that of the whole examination, is up. */
  readonly signal: AbortSignal;
  /** Results of checks that this one depends on or follows. */
  readonly results: ReadonlyMap<string, CheckResult>;
  /** Makes a finding of one of the check's failures; what is given stands over the failure's own words. */
  found(code: Code, facts: FoundFacts): Finding;
}

/** The part of a finding that only the moment knows. */
export interface FoundFacts {
  readonly text: string;
  /** Needed for `failed or warning`. */
  readonly status?: Finding["status"];
  readonly cause?: string;
  readonly remedy?: string;
}

/** One question about this device, and how to answer it without changing anything. */
export interface Check {
  /** Stable: `<group>.<name>`. */
  readonly id: string;
  readonly group: CheckGroup;
  /** What the check is about, in a few words. */
  readonly title: string;
  /** What it does, as a sentence; says what it contacts. */
  readonly does: string;
  /** Checks that must hold first; otherwise this one is skipped. */
  readonly dependsOn: readonly string[];
  /** Checks that must have ended first, however they did. */
  readonly follows: readonly string[];
  /** Longest time, in milliseconds. */
  readonly deadlineMs: number;
  readonly failures: Readonly<Record<string, Failure>>;
  run(context: DoctorContext, call: CheckCall): Promise<Outcome>;
}

/** A check as it is written down. */
export interface CheckSpec<Code extends string> extends Omit<Check, "follows" | "deadlineMs" | "failures" | "run"> {
  /** Default: none. */
  readonly follows?: readonly string[];
  /** Default 15 000. */
  readonly deadlineMs?: number;
  readonly failures: Readonly<Record<Code, Failure>>;
  run(context: DoctorContext, call: CheckCall<Code>): Promise<Outcome>;
}

/** Makes a check; the codes of its findings are those of its failures. */
export function defineCheck<const Code extends string>(spec: CheckSpec<Code>): Check {
  return { follows: [], deadlineMs: 15_000, ...spec };
}

/** A finding of a failure, as {@link CheckCall.found} makes it. */
export function findingOf({ failures }: Pick<Check, "failures">, code: string, facts: FoundFacts): Finding {
  const failure = failures[code];
  if (failure === undefined) throw new TypeError(`no such failure: ${code}`);
  const { text, status = failure.status, cause = failure.cause, remedy = failure.remedy } = facts;
  if (status === "failed or warning") throw new TypeError(`${code} needs a status`);
  return { code, status, text, cause, remedy };
}
