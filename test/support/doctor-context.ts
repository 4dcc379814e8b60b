import type { CreatedAttestation } from "../../src/attestation/create-attestation.ts";
import type { Settings } from "../../src/config/settings.ts";
import { settingsFrom } from "../../src/config/settings-from.ts";
import type { Configuration } from "../../src/config/settings-schema.ts";
import { type Check, findingOf, type Outcome } from "../../src/doctor/check.ts";
import type { DoctorContext, Subject } from "../../src/doctor/context.ts";
import type { CheckResult } from "../../src/doctor/result.ts";
import { runChecks } from "../../src/doctor/run-checks.ts";
import type { ServiceName } from "../../src/doctor/service.ts";
import { decideEndpoint, decideHub } from "../../src/endpoint/decision.ts";
import type { EndpointSettings } from "../../src/endpoint/endpoint-settings.ts";
import type { EndpointEvidence, NameEvidence } from "../../src/endpoint/evidence.ts";
import { emptyMemory, type NetworkMemory } from "../../src/endpoint/network-memory.ts";
import { LandfallError } from "../../src/errors.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import {
  dpsHost,
  globalName,
  hubHost,
  idScope,
  nameEvidence,
  noon,
  settingsOf,
  type ViewName,
} from "./endpoint-world.ts";

export const deviceKey = "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";

/** Settings of a device with a symmetric key, as a file would give them. */
export async function deviceSettings(more: Partial<Configuration> = {}): Promise<Settings> {
  const { settings } = await settingsFrom(
    {
      provisioning: {
        source: "dps",
        id_scope: idScope,
        dps_name: "contoso",
        attestation: { method: "symmetric_key", registration_id: "sensor-0017", symmetric_key: { value: deviceKey } },
      },
      ...more,
    },
    { env: { HOME: "/nonexistent" } },
  );
  return settings;
}

/** Settings of the device that every fake context has unless another is given. */
export const plainSettings = await deviceSettings();

const unexpected = (what: string) => (): never => {
  throw new LandfallError("transport.closed", `nobody expected ${what}`);
};

/** A context in which nothing is wrong and nothing is known, but for what is given. */
export function fakeContext(
  given: Partial<Omit<DoctorContext, "subject">> & {
    readonly subjects?: Partial<Record<ServiceName, Subject>>;
  } = {},
): DoctorContext {
  const { subjects = {}, ...rest } = given;
  return {
    clock: new FakeClock(noon),
    file: "/etc/landfall/landfall.toml",
    warnings: [],
    settings: plainSettings,
    endpoint: settingsOf(),
    hosts: [],
    memory: emptyMemory,
    dialer: { dial: unexpected("a dial") },
    hubTransport: { name: "fake", abilities: { credentials: [], challenge: false }, connect: unexpected("CONNECT") },
    mayConnectToHub: false,
    reach: async () => {},
    subject: async (service) => subjects[service],
    certificate: async () => undefined,
    attestation: async () => fakeAttestation(),
    assignment: async () => ({ state: "none" }),
    lookUp: unexpected("a look-up"),
    hub: async () => undefined,
    ...rest,
  };
}

/** An attestation that signs nothing. */
export function fakeAttestation(registrationId = "sensor-0017"): CreatedAttestation {
  const close = async (): Promise<void> => {};
  const credential = async () => ({ kind: "sas", token: unexpected("a token") }) as const;
  return {
    warnings: [],
    attestation: {
      method: "symmetric_key",
      registrationId,
      evidence: async () => ({}),
      credential,
      hubCredential: credential,
      close,
      [Symbol.asyncDispose]: close,
    },
  };
}

/** What a device sees of DPS, and what it decides. */
export function dpsSubject(
  seen: readonly ViewName[],
  more: Partial<NameEvidence> = {},
  { settings = settingsOf(), memory = emptyMemory }: { settings?: EndpointSettings; memory?: NetworkMemory } = {},
): Subject {
  const evidence = evidenceOf([nameEvidence(dpsHost, seen, more), nameEvidence(globalName, ["publicOther"])]);
  return { host: dpsHost, settings, evidence, memory, decision: decideEndpoint(settings, evidence, memory) };
}

/** What a device sees of a hub, or of another service, and what it decides. */
export function hubSubject(
  seen: readonly ViewName[],
  more: Partial<NameEvidence> = {},
  { host = hubHost, settings = settingsOf(), dps }: { host?: string; settings?: EndpointSettings; dps?: Subject } = {},
): Subject {
  const evidence = evidenceOf([nameEvidence(host, seen, more)]);
  const before = dps?.decision.host === undefined ? {} : { dps: { host: dps.decision.host, path: dps.decision.path } };
  const decision = decideHub(settings, { host, ...before }, evidence, emptyMemory);
  return { host, settings, evidence, memory: emptyMemory, decision };
}

function evidenceOf(names: readonly NameEvidence[]): EndpointEvidence {
  return { gatheredAt: noon, names, nat64Prefixes: [] };
}

/** Runs one check by itself; what it depends on or follows is said to have come out as given. */
export async function outcomeOf(
  check: Check,
  context: DoctorContext,
  before: readonly Partial<CheckResult>[] = [],
): Promise<CheckResult> {
  const results = new Map(before.map((each) => [each.id ?? "", resultOf(each)]));
  const alone: Check = {
    ...check,
    dependsOn: [],
    follows: [],
    run: (own, call): Promise<Outcome> =>
      check.run(own, { ...call, results, found: (code, facts) => findingOf(check, code, facts) }),
  };
  const run = await runChecks([alone], context, { clock: context.clock, limit: new AbortController().signal });
  const [result] = run.results;
  if (result === undefined) throw new Error("the check has no result");
  return result;
}

/** A result with what is given, and nothing wrong otherwise. */
export function resultOf(given: Partial<CheckResult>): CheckResult {
  const { id = "some.check", status = "ok" } = given;
  return {
    id,
    group: "config",
    title: id,
    status,
    summary: "",
    findings: [],
    evidence: [],
    data: {},
    durationMs: 0,
    ...given,
  };
}

/** The codes of a result's findings, with their status. */
export function codesOf({ findings }: CheckResult): string[] {
  return findings.map(({ code, status }) => `${code} (${status})`);
}
