import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allChecks } from "../../../../src/doctor/catalogue.ts";
import type { Check } from "../../../../src/doctor/check.ts";
import { diagnose, diagnosisRules } from "../../../../src/doctor/diagnosis/diagnose.ts";
import { type CheckResult, type Finding, worstOf } from "../../../../src/doctor/result.ts";
import type { ServiceName } from "../../../../src/doctor/service.ts";
import type { JsonObject } from "../../../../src/json.ts";
import { resultOf } from "../../../support/doctor-context.ts";

/** A result of a check with some of its failures found, and the data of that check. */
function found(id: string, codes: readonly string[], data: JsonObject = {}, status?: Finding["status"]): CheckResult {
  const { failures, title, group } = allChecks.find((check) => check.id === id) as Check;
  const findings = codes.map((code): Finding => {
    const { status: usual, cause, remedy } = failures[code] ?? { status: "failed", cause: "", remedy: "" };
    return {
      code,
      status: status ?? (usual === "failed or warning" ? "failed" : usual),
      text: `${id} ${code}`,
      cause,
      remedy,
    };
  });
  return resultOf({ id, title, group, status: worstOf(findings.map((each) => each.status)), findings, data });
}

const endpoint = (
  service: ServiceName,
  path: string,
  more: JsonObject = {},
  codes: readonly string[] = [],
): CheckResult => found(`endpoint.${service}`, codes, { kind: "service", host: `${service}.host`, path, ...more });

const dns = (service: ServiceName, codes: readonly string[] = [], more: JsonObject = {}): CheckResult =>
  found(`dns.${service}`, codes, { host: `${service}.host`, private: [], knownPrivate: false, ...more }, "warning");

function tcp(service: ServiceName, port: number, outcome: string, need = "needed"): CheckResult {
  const attempts = [{ address: "10.20.0.5", outcome, durationMs: 1 }];
  const codes = outcome === "open" || need === "unused" ? [] : [outcome];
  const status = need === "needed" ? "failed" : "warning";
  return found(`tcp.${service}.${port}`, codes, { attempts, need, port }, status);
}

function tls(service: ServiceName, port: number, failure?: string): CheckResult {
  const data = failure === undefined ? { peer: {} } : { failure };
  return found(`tls.${service}.${port}`, failure === undefined ? [] : [failure], data, "failed");
}

/** The way to a service up to TCP on every port. */
function reached(service: ServiceName, path: string, outcomes: Readonly<Record<number, string>>, needed = 8883) {
  return [
    endpoint(service, path),
    ...Object.entries(outcomes).map(([port, outcome]) =>
      tcp(
        service,
        Number(port),
        outcome,
        Number(port) === needed ? "needed" : Number(port) === 5671 ? "unused" : "helpful",
      ),
    ),
  ];
}

const open = { 8883: "open", 443: "open", 5671: "open" };
const all = (outcome: string) => ({ 8883: outcome, 443: outcome, 5671: outcome });
const unauthorized = (data: JsonObject = {}) => found("dps.authentication", ["unauthorized"], data);

/** Symptoms, and the root cause that they speak for. Those of the staged catalogue are tested over the staged catalogue. */
const table: readonly (readonly [string, readonly CheckResult[], string, string])[] = [
  ["a file that is not valid", [found("config.valid", ["invalid"])], "configuration-invalid", "certain"],
  ["an address for an endpoint", [found("config.endpoint", ["unusable"])], "endpoint-settings-unusable", "certain"],
  [
    "a strict choice without a name",
    [endpoint("dps", "unknown", { kind: "none", reason: "strict-needs-dps-name" }, ["refused"])],
    "settings-leave-no-endpoint",
    "certain",
  ],
  ["a clock that is wrong, and a refusal", [found("time.clock", ["wrong"]), unauthorized()], "clock-wrong", "certain"],
  ["a certificate that is not valid yet, by our clock", [tls("dps", 8883, "not-valid-now")], "clock-suspect", "likely"],
  [
    "the same with a clock that is right",
    [resultOf({ id: "time.clock" }), ...reached("dps", "public", open), tls("dps", 8883, "not-valid-now")],
    "tls-inspection",
    "likely",
  ],
  ["a key of another certificate", [found("credential.key-match", ["mismatch"])], "credential-mismatch", "certain"],
  [
    "a private path that was, and is not",
    [
      endpoint("dps", "unknown", { kind: "none", reason: "private-downgrade" }, ["refused"]),
      found("state.memory", ["downgrade"]),
    ],
    "private-path-lost",
    "likely",
  ],
  ["a proxy that forbids", [found("proxy.path", ["forbidden"])], "proxy-refuses", "certain"],
  [
    "a demand for privacy, and no private endpoint",
    [endpoint("dps", "unknown", { kind: "none", reason: "strict-no-private-address" }, ["refused"])],
    "no-private-endpoint",
    "likely",
  ],
  [
    "a demand for privacy, and a private endpoint out of sight",
    [
      dns("dps", ["private-endpoint-not-visible"], { knownPrivate: true }),
      endpoint("dps", "unknown", { kind: "none", reason: "private-endpoint-not-visible" }, ["refused"]),
    ],
    "private-endpoint-not-visible",
    "likely",
  ],
  ["no route", reached("dps", "private", all("no-route")), "no-route", "certain"],
  ["an address that nobody has", reached("dps", "private", all("host-unreachable")), "stale-record", "likely"],
  ["one port of one service", reached("dps", "private", { ...open, 8883: "no-answer" }), "port-blocked", "likely"],
  ["one port that is turned away", reached("dps", "public", { ...open, 8883: "refused" }), "port-blocked", "likely"],
  [
    "one port of two services",
    [
      ...reached("dps", "private", { ...open, 443: "no-answer" }),
      ...reached("hub", "private", { ...open, 443: "no-answer" }),
    ],
    "port-blocked",
    "likely",
  ],
  [
    "a private endpoint that is all there is",
    reached("dps", "private", all("no-answer")),
    "private-endpoint-silent",
    "possible",
  ],
  [
    "a private endpoint that is silent beside another",
    [...reached("dps", "private", open), ...reached("hub", "private", all("no-answer"))],
    "private-endpoint-silent",
    "likely",
  ],
  [
    "private endpoints that are all silent",
    [...reached("dps", "private", all("no-answer")), ...reached("hub", "private", all("no-answer"))],
    "private-network-unreachable",
    "likely",
  ],
  ["the internet, silent", reached("dps", "public", all("no-answer")), "outbound-blocked", "likely"],
  ["the internet, turned away", reached("dps", "public", all("refused")), "firewall-rejects", "likely"],
  ["an error that nobody knows", reached("dps", "public", all("broken")), "connection-broken", "possible"],
  [
    "a stranger at a private address",
    [...reached("dps", "private", open), tls("dps", 8883, "wrong-name")],
    "stale-record",
    "likely",
  ],
  [
    "a signer whom nobody trusts, everywhere",
    [
      ...reached("dps", "private", open),
      tls("dps", 8883, "untrusted"),
      ...reached("hub", "private", open),
      tls("hub", 8883, "untrusted"),
    ],
    "tls-inspection",
    "likely",
  ],
  ["TLS that is cut", [...reached("dps", "public", open), tls("dps", 8883, "cut")], "middlebox-cuts-tls", "likely"],
  ["TLS that starves", [...reached("dps", "public", open), tls("dps", 8883, "silent")], "middlebox-cuts-tls", "likely"],
  [
    "an address that nobody dialled",
    [...reached("dps", "private", open), tls("dps", 8883, "unvetted")],
    "connection-diverted",
    "certain",
  ],
  [
    "TLS of an unusual kind",
    [...reached("dps", "private", open), tls("dps", 8883, "broken")],
    "tls-broken",
    "possible",
  ],
  [
    "an override that leads nowhere",
    [dns("dps", ["no-privatelink"], { private: ["10.9.9.9"] }), ...reached("dps", "private", all("no-answer"))],
    "override-leads-nowhere",
    "likely",
  ],
  [
    "a refusal by a public path, beside a private endpoint",
    [dns("dps", [], { knownPrivate: true }), endpoint("dps", "public"), unauthorized()],
    "public-path-refused",
    "likely",
  ],
  [
    "a refusal by the private path",
    [dns("dps"), endpoint("dps", "private"), unauthorized()],
    "credential-refused",
    "likely",
  ],
  [
    "a refusal by a public path, and nothing private",
    [dns("dps"), endpoint("dps", "public"), unauthorized()],
    "credential-refused",
    "likely",
  ],
  [
    "a refusal at the global endpoint, without a name",
    [dns("dps"), endpoint("dps", "public", { kind: "global", host: "global" }), unauthorized()],
    "global-endpoint-refused",
    "possible",
  ],
  [
    "a refusal at the global endpoint, against a private one",
    [
      dns("dps", [], { knownPrivate: true }),
      endpoint("dps", "public", { kind: "explicit", host: "global", reason: "explicit-global" }, [
        "global-despite-private",
      ]),
      unauthorized(),
    ],
    "global-endpoint-refused",
    "likely",
  ],
  [
    "a hub that refuses, public, beside a private DPS",
    [dns("hub"), endpoint("hub", "public"), endpoint("dps", "private"), found("hub.connect", ["unauthorized"])],
    "service-not-private",
    "likely",
  ],
  [
    "a linked hub that refuses DPS",
    [found("dps.authentication", ["hub-unauthorized"])],
    "linked-hub-refuses-dps",
    "certain",
  ],
  ["an enrollment that is disabled", [found("dps.authentication", ["disabled"])], "enrollment-disabled", "certain"],
  ["a device that DPS does not know", [found("dps.authentication", ["not-registered"])], "not-registered", "possible"],
  [
    "a device that the hub does not know",
    [found("hub.connect", ["unknown-device"])],
    "device-unknown-at-hub",
    "likely",
  ],
  [
    "a proxy in front of a private endpoint",
    [found("proxy.settings", ["hides-private-endpoint"])],
    "proxy-hides-private-endpoint",
    "likely",
  ],
];

describe("the diagnosis", () => {
  test.each(table)("of %s", (_, results, id, confidence) => {
    expect(diagnose(results)).toMatchObject({ id, confidence });
  });

  test("is none when nothing is wrong, whatever was skipped", () => {
    expect(diagnose([])).toBeUndefined();
    expect(diagnose([resultOf({}), resultOf({ status: "skipped", because: "a" })])).toBeUndefined();
  });

  const everyFailure = allChecks.flatMap(({ id, failures }) =>
    Object.keys(failures).map((code) => [id, code] as const),
  );

  test.each(everyFailure)("knows what is behind %s when all that is found is %s", (id, code) => {
    const diagnosis = diagnose([found(id, [code])]);
    expect(diagnosis).toBeDefined();
    expect(diagnosis?.id).not.toBe("unexplained");
    expect(diagnosis?.evidence).toContain(id);
  });

  test.each(["error", "internal"])("takes a check that ended with %s as it is", (code) => {
    const finding = { code, status: "unknown", text: "it did not end", cause: "slow", remedy: "wait" } as const;
    const results = [resultOf({ id: "a" }), resultOf({ id: "b", status: "unknown", findings: [finding] })];
    expect(diagnose(results)).toMatchObject({ id: "unexplained", evidence: ["b"], fixes: ["wait"] });
  });

  test("explains a failure before a warning, and what lies nearer before what lies behind it", () => {
    const warning = dns("dps", ["private-endpoint-not-visible"]);
    expect(diagnose([warning, found("dps.authentication", ["disabled"])])?.id).toBe("enrollment-disabled");
    expect(diagnose([unauthorized(), found("credential.validity", ["expired"])])?.id).toBe("credential-expired");
    expect(diagnose([found("tls.hub.8883", ["cut"]), found("dns.servers", ["all-silent"])])?.id).toBe(
      "name-servers-silent",
    );
  });

  test("advises the other transport where one port is closed", () => {
    const at = (outcomes: Readonly<Record<number, string>>, needed: number) =>
      diagnose(reached("hub", "public", outcomes, needed))?.fixes.join("\n");
    expect(at({ ...open, 8883: "no-answer" }, 8883)).toMatch(/transport = "mqtt-ws" in \[hub\]/);
    expect(at({ ...open, 443: "no-answer" }, 443)).toMatch(/transport = "mqtt" in \[hub\]/);
    expect(at({ 8883: "no-answer", 443: "no-answer", 5671: "open" }, 8883)).not.toMatch(/transport =/);
  });
});

/** Results of any checks in any state, as far as their own failures allow. */
const anyResult: fc.Arbitrary<CheckResult> = fc.constantFrom(...allChecks).chain((check) =>
  fc
    .record({
      codes: fc.subarray(Object.keys(check.failures)).map((codes) => codes.slice(0, 2)),
      path: fc.constantFrom("private", "public", "unknown"),
      kind: fc.constantFrom("service", "global", "none"),
      outcome: fc.constantFrom("open", "no-answer", "refused", "host-unreachable", "no-route", "broken"),
      need: fc.constantFrom("needed", "helpful", "unused"),
      failure: fc.constantFrom("cut", "silent", "untrusted", "wrong-name", undefined),
      knownPrivate: fc.boolean(),
      reason: fc.constantFrom(
        "private-endpoint",
        "public-only",
        "cross-cloud",
        "private-downgrade",
        "strict-needs-dps-name",
      ),
      skipped: fc.boolean(),
    })
    .map(({ codes, outcome, skipped, failure, ...data }) => {
      if (skipped) return resultOf({ id: check.id, status: "skipped", because: "excluded" });
      const attempts = [{ address: "10.0.0.1", outcome, durationMs: 1 }];
      const tlsData = failure === undefined ? { peer: {} } : { failure };
      return found(check.id, codes, { ...data, attempts, ...tlsData, host: `${check.id}.host` });
    }),
);

const anyResults = fc.uniqueArray(anyResult, { selector: ({ id }) => id, maxLength: 14 });

describe("whatever the results", () => {
  test("there is exactly one root cause when something is wrong, and none otherwise", () => {
    fc.assert(
      fc.property(anyResults, (results) => {
        const isWrong = results.some(({ status }) => status !== "ok" && status !== "skipped");
        expect(diagnose(results) !== undefined).toBe(isWrong);
      }),
      { numRuns: 500 },
    );
  });

  test("the root cause explains the worst of them, rests on results that are there, and says what to do", () => {
    fc.assert(
      fc.property(anyResults, (results) => {
        const diagnosis = diagnose(results);
        if (diagnosis === undefined) return;
        const statuses = new Map(results.map(({ id, status }) => [id, status]));
        const evidence = diagnosis.evidence.map((id) => statuses.get(id));
        expect(evidence).not.toContain(undefined);
        const worst = (["failed", "unknown", "warning"] as const).find((each) => [...statuses.values()].includes(each));
        expect(evidence).toContain(worst);
        expect(diagnosis.fixes.length).toBeGreaterThan(0);
        expect(diagnosisRules.map(({ id }) => id)).toContain(diagnosis.id);
        expect(diagnosis.text).not.toMatch(/undefined|NaN|\[object/);
      }),
      { numRuns: 500 },
    );
  });

  test("the same results give the same root cause", () => {
    fc.assert(
      fc.property(anyResults, (results) => {
        expect(diagnose(results)).toEqual(diagnose(structuredClone(results)));
      }),
    );
  });
});
