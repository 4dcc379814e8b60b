import { type ErrorCode, LandfallError } from "../errors.ts";
import { type CborMap, isCborMap } from "./cbor.ts";
import { imageReasons, settingsReasons, smpReasons, statisticsReasons } from "./smp-reasons.ts";

/** What an MCU says instead of an answer. */
export interface SmpFault {
  /** The group that defines the code; absent for a code of SMP itself, and in all answers of version 1. */
  readonly group?: number;
  readonly rc: number;
  /** The MCU's own words. */
  readonly reason?: string;
}

/** Codes of SMP itself, which the groups of landfall use, too. */
export const smpCodes = {
  unknown: 1,
  invalid: 3,
  noEntry: 5,
  badState: 6,
  tooLarge: 7,
  notSupported: 8,
  busy: 10,
  denied: 11,
} as const;

/** The fault in the body of an answer, in either version's form; undefined for an answer proper. */
export function faultIn(body: CborMap): SmpFault | undefined {
  const reason = typeof body.rsn === "string" ? { reason: body.rsn } : {};
  if (isCborMap(body.err)) {
    const { group, rc } = body.err;
    if (typeof rc === "number" && rc !== 0) return { ...(typeof group === "number" ? { group } : {}), rc, ...reason };
  }
  return typeof body.rc === "number" && body.rc !== 0 ? { rc: body.rc, ...reason } : undefined;
}

/** A fault in words: what the code means, and what the MCU said. */
export function describeFault({ group, rc, reason }: SmpFault): string {
  const name = group === undefined ? `code ${rc}` : `code ${rc} of group ${group}`;
  const words = reasonsOf(group)[rc];
  const said = reason === undefined ? "" : `, ${JSON.stringify(reason.slice(0, 200))}`;
  return words === undefined ? `${name}${said}` : `${words} (${name})${said}`;
}

/** Unknown groups are an application's, and those of landfall use the codes of SMP. */
function reasonsOf(group: number | undefined): readonly string[] {
  if (group === 1) return imageReasons;
  if (group === 2) return statisticsReasons;
  return group === 3 ? settingsReasons : smpReasons;
}

/** The MCU, or the gateway towards it, said no. `code` tells apart what can be done about it; `rc` is the protocol's. */
export class SmpRefusal extends LandfallError {
  /** The request, such as "confirm the image". */
  readonly what: string;
  readonly fault: SmpFault;

  constructor(what: string, fault: SmpFault, options: { readonly cause?: unknown } = {}) {
    super(codeFor(fault), `the MCU refused to ${what}: ${describeFault(fault)}`, options);
    this.what = what;
    this.fault = fault;
  }

  /** Whether it is that code, of SMP itself or of a group that uses the same. */
  is(code: keyof typeof smpCodes): boolean {
    const { group, rc } = this.fault;
    return rc === smpCodes[code] && reasonsOf(group) === smpReasons;
  }
}

function codeFor({ group, rc }: SmpFault): ErrorCode {
  if (reasonsOf(group) !== smpReasons) return "smp.refused";
  if (rc === smpCodes.busy) return "smp.busy";
  return rc === smpCodes.notSupported ? "smp.unsupported" : "smp.refused";
}
