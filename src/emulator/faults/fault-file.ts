import { faultLine, isTable, shown, typeShown } from "../../config/fault.ts";
import { choice, integer, text } from "../../config/kinds.ts";
import { Findings, Place } from "../../config/place.ts";
import { readNode } from "../../config/read-node.ts";
import { defaulting, type Kind, optional, required, type Table, type Values } from "../../config/schema.ts";
import { LandfallError } from "../../errors.ts";
import type { JsonValue } from "../../json.ts";
import { DpsFaults, type DpsStep } from "../dps/faults.ts";
import { parseTables, table, tables } from "../entry-tables.ts";
import { HubFaults, type HubStep } from "../hub/faults.ts";
import type { Fault } from "./fault.ts";
import type { FaultScript } from "./fault-script.ts";

/** A fault for an emulator to begin with. */
export interface ScriptedFault {
  /** `dps`, or the name of a hub. */
  readonly service: string;
  /** A registration id at DPS, a device id at a hub. Default `*`: anybody's request. */
  readonly id?: string;
  readonly step: DpsStep | HubStep;
  readonly fault: Fault;
  /** Default 1. */
  readonly times?: number;
}

const words = ["silence", "drop", "malformed", "wrong-rid", "hold"] as const;
const faultExpects = `${words.map((word) => JSON.stringify(word)).join(", ")}, or a table with one number`;
const whole = integer(-1e12, 1e12);

const json: Kind<JsonValue, JsonValue> = {
  expects: "text or a table",
  read: (value, at) =>
    typeof value === "string" || isTable(value)
      ? (JSON.parse(JSON.stringify(value)) as JsonValue)
      : at.fault({ expected: "text or a table", found: typeShown(value) }),
};

const numbers = table("What goes wrong.", {
  status: optional(whole, 429, "The status of the answer."),
  retry_after: optional(whole, 5, "Beside status: seconds."),
  body: optional(json, "", "Beside status: the body."),
  connack: optional(whole, 3, "The refusal of CONNECT."),
  delay_ms: optional(whole, 500, "Milliseconds that the answer is late."),
  cut_after_bytes: optional(whole, 20, "Bytes of the answer before the connection is cut."),
  clock_skew_ms: optional(whole, 3_600_000, "Milliseconds that the service's clock is ahead."),
});

const fault: Kind<Fault, unknown> = {
  expects: faultExpects,
  read(value, at) {
    if (!isTable(value)) {
      const word = words.find((each) => each === value);
      return word ?? at.fault({ expected: faultExpects, found: shown(value) });
    }
    const read = readNode(numbers, value, at) as Values<typeof numbers.entries> | undefined;
    if (read === undefined) return undefined;
    const { status, retry_after: retryAfterSeconds, body, connack, delay_ms: delayMs } = read;
    const { cut_after_bytes: cutAfterBytes, clock_skew_ms: clockSkewMs } = read;
    const kinds = withoutAbsent({ status, connack, delayMs, cutAfterBytes, clockSkewMs });
    const beside = withoutAbsent({ retryAfterSeconds, body });
    const isOne = Object.keys(kinds).length === 1 && (status !== undefined || Object.keys(beside).length === 0);
    if (isOne) return { ...kinds, ...beside } as Fault;
    return at.fault({ expected: faultExpects, found: Object.keys(value).join(", ") || "an empty table" });
  },
};

const entries = {
  service: required(text("dps, or the name of a hub", /./), "dps", "Where it goes wrong."),
  id: defaulting(text("a registration id, a device id, or *", /./), "*", "Whose request."),
  step: required(
    choice([
      ...["connect", "register", "poll", "look-up"],
      ...["telemetry", "twin-get", "twin-patch", "file-upload", "file-notification"],
    ]) as Kind<DpsStep | HubStep, string>,
    "register",
    "Which request.",
  ),
  fault: required(fault, "silence", "What goes wrong."),
  times: defaulting(integer(1, 1_000_000), 1, "How often."),
};

const schema: Table = {
  node: "table",
  need: "required",
  doc: "What goes wrong.",
  entries: { fault: defaulting(tables(entries), [], "One fault each.") },
};

/**
 * Reads faults from TOML, or from JSON of the same shape: tables `[[fault]]`, served in this order.
 *
 * ```toml
 * [[fault]]
 * service = "dps"
 * step = "register"
 * fault = { status = 429, retry_after = 5 }
 * times = 3
 *
 * [[fault]]
 * service = "hub-a"
 * id = "sensor-17"
 * step = "telemetry"
 * fault = "drop"
 * ```
 *
 * Throws `emulator.fault-file` with one line in `details` for every fault of the file itself.
 */
export function parseFaultFile(text: string): readonly ScriptedFault[] {
  const findings = new Findings();
  const top = new Place({ env: {}, baseDirectory: "", isRoot: false }, findings);
  const parsed = parseTables(text);
  if (typeof parsed === "string") throw invalid([parsed]);
  const { fault: scripted } = readNode(schema, parsed, top) as { readonly fault: readonly ScriptedFault[] };
  if (findings.faults.length === 0) {
    for (const [index, each] of scripted.entries()) reportImpossible(each, top.at("fault").at(index));
  }
  if (findings.faults.length > 0) throw invalid(findings.faults.map(faultLine));
  return scripted;
}

function reportImpossible({ service, step, fault: wanted, times = 1 }: ScriptedFault, at: Place): void {
  const script: FaultScript<string, Fault> = service === "dps" ? new DpsFaults() : new HubFaults();
  const found = script.objectionTo(step, wanted, times);
  if (found !== undefined) at.fault({ expected: "a fault that the service can have", found });
}

function withoutAbsent(members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function invalid(details: readonly string[]): LandfallError {
  const faults = details.length === 1 ? "one fault" : `${details.length} faults`;
  return new LandfallError("emulator.fault-file", `The fault file has ${faults} of its own.`, { details });
}
