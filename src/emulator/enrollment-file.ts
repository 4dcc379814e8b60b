import { parse, TomlError } from "smol-toml";
import { faultLine, isTable, type RawTable } from "../config/fault.ts";
import { Findings, Place } from "../config/place.ts";
import { readNode } from "../config/read-node.ts";
import { LandfallError } from "../errors.ts";
import type { EnrollmentOptions, GroupEnrollmentOptions, TpmAttestation } from "./dps/enrollment-options.ts";
import { type EnrollmentEntry, enrollmentSchema, type GroupEntry, type IndividualEntry } from "./enrollment-schema.ts";

/** What {@link parseEnrollmentFile} takes beside the text. */
export interface EnrollmentFileOptions {
  /** Relative paths of certificates start from here. Default: the working directory. */
  readonly baseDirectory?: string;
}

/**
 * Reads enrollments from TOML, or from JSON of the same shape: tables `[[individual]]` and `[[group]]`.
 *
 * ```toml
 * [[individual]]
 * registration_id = "sensor-17"
 * attestation = { method = "symmetric_key" }          # keys are generated where none are given
 *
 * [[group]]
 * name = "line-1"
 * attestation = { method = "x509", certificate = "line-1-ca.pem" }
 * hubs = ["hub-b"]
 * ```
 *
 * Certificates are read from the files that are named, or stand in the text as PEM. Throws `emulator.enrollment-file` with
 * one line in `details` for every fault; no key is ever in them.
 */
export function parseEnrollmentFile(
  text: string,
  { baseDirectory = process.cwd() }: EnrollmentFileOptions = {},
): readonly EnrollmentOptions[] {
  const findings = new Findings();
  const top = new Place({ env: {}, baseDirectory, isRoot: false }, findings);
  const entries = readNode(enrollmentSchema, parseText(text), top) as {
    readonly individual: readonly IndividualEntry[];
    readonly group: readonly GroupEntry[];
  };
  if (findings.faults.length === 0) {
    reportTwins(entries.individual, "individual", (entry) => entry.registration_id.toLowerCase(), top);
    reportTwins(entries.group, "group", (entry) => entry.name, top);
    reportMissingCallbacks(entries, top);
  }
  if (findings.faults.length > 0) throw invalid(findings.faults.map(faultLine));
  return [
    ...entries.individual.map((entry) => ({
      registrationId: entry.registration_id,
      ...(entry.device_id === undefined ? {} : { deviceId: entry.device_id }),
      attestation: entry.attestation.method === "tpm" ? tpmOf(entry.attestation) : attestationOf(entry.attestation),
      ...optionsOf(entry),
    })),
    ...entries.group.map((entry) => ({
      group: entry.name,
      attestation: attestationOf(entry.attestation),
      ...optionsOf(entry),
    })),
  ];
}

function parseText(text: string): RawTable {
  const isJson = text.trimStart().startsWith("{");
  try {
    const parsed: unknown = isJson ? JSON.parse(text) : parse(text);
    if (isTable(parsed)) return parsed;
  } catch (error) {
    // The parsers quote the text around a fault, which may hold a key, so only the place goes on.
    if (error instanceof TomlError) throw invalid([`line ${error.line}, column ${error.column}: not valid TOML`]);
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw invalid(["expected a JSON object; found something else"]);
}

function reportTwins<T>(entries: readonly T[], table: string, idOf: (entry: T) => string, top: Place): void {
  const seen = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    const id = idOf(entry);
    if (seen.has(id))
      top
        .at(table)
        .at(index)
        .fault({ expected: "every enrollment once", found: `${id} again` });
    seen.add(id);
  }
}

function reportMissingCallbacks(
  tables: { readonly individual: readonly EnrollmentEntry[]; readonly group: readonly EnrollmentEntry[] },
  top: Place,
): void {
  for (const [table, entries] of Object.entries(tables)) {
    for (const [index, { allocation, callback_url }] of entries.entries()) {
      if (allocation !== "custom" || callback_url !== undefined) continue;
      const place = top.at(table).at(index).at("callback_url");
      place.fault({ expected: "a URL where allocation is custom", found: "nothing" });
    }
  }
}

type Common = Omit<EnrollmentOptions, "registrationId" | "group" | "deviceId" | "attestation">;

function optionsOf(entry: EnrollmentEntry): Common {
  const { disabled, allocation, reprovisioning, hubs, initial_twin, payload, failure } = entry;
  const { latencies_ms: latenciesMs, callback_url: customAllocation } = entry;
  const present = { hubs, initialTwin: initial_twin, payload, latenciesMs, customAllocation };
  return {
    disabled,
    allocation,
    reprovisioning,
    ...withoutAbsent(present),
    ...(failure === undefined ? {} : { failure: { errorCode: failure.error_code, message: failure.message } }),
  };
}

type TpmEntry = Extract<IndividualEntry["attestation"], { readonly method: "tpm" }>;

function tpmOf({
  method,
  endorsement_key: endorsementKey,
  storage_root_key: storageRootKey,
}: TpmEntry): TpmAttestation {
  return { method, endorsementKey, ...withoutAbsent({ storageRootKey }) };
}

function attestationOf(attestation: GroupEntry["attestation"]): GroupEnrollmentOptions["attestation"] {
  if (attestation.method === "symmetric_key") {
    const { method, primary_key: primaryKey, secondary_key: secondaryKey } = attestation;
    return { method, ...withoutAbsent({ primaryKey, secondaryKey }) };
  }
  const { method, certificate, secondary_certificate: secondaryCertificate } = attestation;
  return { method, certificate, ...withoutAbsent({ secondaryCertificate }) };
}

/** Without the members that are `undefined`, which is how the types of optional members want it. */
function withoutAbsent<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const present = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function invalid(details: readonly string[]): LandfallError {
  const faults = details.length === 1 ? "one fault" : `${details.length} faults`;
  return new LandfallError("emulator.enrollment-file", `The enrollment file has ${faults}.`, { details });
}
