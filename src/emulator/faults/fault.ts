import type { JsonValue } from "../../json.ts";
import type { ConnackCode } from "../mqtt/packets.ts";

/** What can go wrong on the way, whatever a request asks for. The request itself is served as usual where it is served. */
export type LineFault =
  /** The right answer, so many milliseconds late by the emulator's clock. */
  | { readonly delayMs: number }
  /**
   * The first bytes of the right answer, then the connection is cut: of its MQTT packet, or over HTTPS of the whole
   * response from its status line on. Where the answer is shorter, it arrives whole.
   */
  | { readonly cutAfterBytes: number }
  /** The request is lost: it is not served, and there is no answer. */
  | "silence"
  /** The request is lost, and the connection is cut. */
  | "drop";

/** Everything that can be scripted to go wrong at a service. */
export type Fault =
  | LineFault
  /** An answer of your own; `body` is sent as JSON, or as it is when it is a string. Default: the usual error body. */
  | { readonly status: number; readonly retryAfterSeconds?: number; readonly body?: JsonValue }
  /** A refusal of the connection: 3 is a busy server, 5 is not authorized. */
  | { readonly connack: Exclude<ConnackCode, 0> }
  /** The service's clock is that far ahead, or behind when negative: for credentials, for dates, for the `date` header. */
  | { readonly clockSkewMs: number }
  /** The right answer with a body that is cut in the middle. */
  | "malformed"
  /** The right answer under another request id. */
  | "wrong-rid"
  /** The message is taken; its PUBACK waits until it is released. */
  | "hold";

/** An answer of the owner's own. */
export type ScriptedAnswer = Extract<Fault, { status: number }>;

/** What tells one {@link Fault} from another: its name, or the member that all of its kind have. */
export type FaultKind = Extract<Fault, string> | KeyOf<Exclude<Fault, string>>;

type KeyOf<T> = T extends ScriptedAnswer ? "status" : T extends object ? keyof T : never;

const numbered = ["status", "connack", "delayMs", "cutAfterBytes", "clockSkewMs"] as const;

/** The least and the greatest number that each kind takes; all are whole numbers. */
const ranges: Readonly<Record<(typeof numbered)[number], readonly [number, number]>> = {
  status: [200, 599],
  connack: [1, 5],
  delayMs: [0, 86_400_000],
  cutAfterBytes: [0, 1_000_000],
  clockSkewMs: [-1e12, 1e12],
};

/** The kind of a fault; `undefined` when it is none. */
export function kindOf(fault: Fault): FaultKind | undefined {
  if (typeof fault === "string") return fault;
  return numbered.find((kind) => kind in fault);
}

/** What is wrong with the numbers of a fault, in words; `undefined` when nothing is. */
export function faultOfNumbers(fault: Fault): string | undefined {
  if (typeof fault === "string") return undefined;
  for (const kind of numbered) {
    if (!(kind in fault)) continue;
    const value = (fault as Readonly<Record<string, unknown>>)[kind];
    const [least, most] = ranges[kind];
    if (!isWhole(value, least, most)) return `${kind}: expected an integer from ${least} to ${most}; found ${value}`;
  }
  const { retryAfterSeconds = 0 } = fault as ScriptedAnswer;
  if (isWhole(retryAfterSeconds, 0, 1e9)) return undefined;
  return `retryAfterSeconds: expected an integer of 0 or more; found ${retryAfterSeconds}`;
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}
