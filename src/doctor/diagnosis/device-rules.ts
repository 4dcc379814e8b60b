import { byFinding, type DiagnosisRule, once, sentence } from "./rule.ts";

/** Faults of the device itself: its configuration, its clock, its credential. */
export const deviceRules: readonly DiagnosisRule[] = [
  once({
    id: "configuration-invalid",
    confidence: "certain",
    about: "The configuration cannot be read or is not valid.",
    match(symptoms) {
      const result = symptoms.result("config.valid");
      const found = symptoms.finding("config.valid", "invalid");
      if (result === undefined || found === undefined) return undefined;
      return { text: sentence(found.text), evidence: [result.id], fixes: [...result.evidence, found.remedy] };
    },
  }),
  byFinding({
    id: "endpoint-settings-unusable",
    confidence: "certain",
    about: "The settings about the endpoint name an address or a privatelink name, or exclude each other.",
    findings: ["config.endpoint/unusable"],
  }),
  once({
    id: "settings-leave-no-endpoint",
    confidence: "certain",
    about: "The settings lack what a strict choice needs, or forbid what they name, whatever the network says.",
    match(symptoms) {
      const found = symptoms.finding("endpoint.dps", "refused");
      const reason = symptoms.service("dps").reason ?? "";
      if (found === undefined || !settingsReasons.includes(reason)) return undefined;
      return { text: sentence(found.text), evidence: ["endpoint.dps"], fixes: [found.remedy] };
    },
  }),
  byFinding({
    id: "clock-wrong",
    confidence: "certain",
    about: "The clock of this machine is wrong, so that tokens and certificates are refused.",
    findings: ["time.clock/wrong"],
  }),
  once({
    id: "clock-suspect",
    confidence: "likely",
    about: "By this machine's clock the service's certificate is not valid, while nobody could be asked for the time.",
    match(symptoms) {
      if (symptoms.result("time.clock")?.status === "ok") return undefined;
      const result = symptoms.results.find(({ id, findings }) => {
        return id.startsWith("tls.") && findings.some(({ code }) => code === "not-valid-now");
      });
      const found = result?.findings[0];
      if (result === undefined || found === undefined) return undefined;
      const text = `The clock of this machine is likely wrong: ${found.text}`;
      return { text: sentence(text), evidence: [result.id], fixes: [found.remedy] };
    },
  }),
  byFinding({
    id: "credential-unreadable",
    confidence: "certain",
    about: "The key or certificate of this device cannot be opened.",
    findings: ["credential.readable/unreadable"],
  }),
  byFinding({
    id: "credential-mismatch",
    confidence: "certain",
    about: "The private key belongs to another certificate.",
    findings: ["credential.key-match/mismatch"],
  }),
  byFinding({
    id: "credential-name",
    confidence: "certain",
    about: "The registration id is not one that DPS takes, or the certificate is for another device.",
    findings: ["credential.name/unusable"],
  }),
  byFinding({
    id: "credential-expired",
    confidence: "certain",
    about: "A certificate of this device is expired or not valid yet.",
    findings: ["credential.validity/expired", "credential.validity/not-yet"],
  }),
  byFinding({
    id: "state-unreadable",
    confidence: "certain",
    about: "The agent's state cannot be read.",
    findings: ["state.assignment/unreadable"],
  }),
];

/** Reasons of a decision that looked at nothing but the settings. */
const settingsReasons: readonly string[] = [
  "explicit-global-forbidden-by-strict",
  "explicit-host-invalid",
  "explicit-host-privatelink",
  "dps-name-invalid",
  "strict-needs-dps-name",
  "service-needs-dps-name",
  "connect-to-forbidden-by-strict",
];
