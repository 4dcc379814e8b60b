import { isLandfallError } from "../../errors.ts";
import type { RegistrationLookUp } from "../../provisioning/look-up.ts";
import { type CheckCall, defineCheck, type Outcome } from "../check.ts";
import type { DoctorContext, Subject } from "../context.ts";
import { identityOf } from "../identity.ts";
import type { CheckResult, Finding } from "../result.ts";
import { sightOf } from "../sight.ts";
import { saidBy } from "../words.ts";

const credentialChecks = [
  "credential.readable",
  "credential.key-match",
  "credential.name",
  "credential.validity",
] as const;

const failures = {
  unauthorized: {
    status: "failed",
    when: "DPS answers 401.",
    cause:
      "The key or certificate is not that of the enrollment, an intermediate certificate is missing, or the clock is wrong. Azure answers the same, likely, when public network access is disabled or an IP rule applies, and the request came by the public path.",
    remedy:
      "Compare the credential with the enrollment; by a public path, ask the owner of the DPS about public access and IP rules.",
  },
  "not-registered": {
    status: "unknown",
    when: "DPS answers 404, and nothing is stored of an earlier registration.",
    cause:
      "The device was never registered, which is fine; or there is no enrollment for it. Azure does not tell which.",
    remedy: "Run `landfall provision`; if DPS does not know the device then either, create an enrollment for it.",
  },
  "enrollment-gone": {
    status: "failed",
    when: "DPS answers 404, though an assignment is stored.",
    cause: "Likely the enrollment, or the record of this registration, was deleted; or the id scope is another one.",
    remedy: "Create an individual enrollment or an enrollment group for this device; check id_scope.",
  },
  disabled: {
    status: "failed",
    when: "The enrollment is disabled.",
    cause: "Somebody disabled it, or an individual enrollment that stands before the group's.",
    remedy: "Enable the enrollment in DPS.",
  },
  "hub-unauthorized": {
    status: "failed",
    when: "The last registration failed, because the linked hub refused DPS.",
    cause: "The key by which DPS uses its linked hub was renewed or removed, or the hub was unlinked.",
    remedy: "Ask the owner of the DPS to link the hub again, with a policy that may write the registry.",
  },
  "assignment-failed": {
    status: "failed",
    when: "The last registration was accepted, and then failed.",
    cause: "No hub is linked, or a custom allocation failed; the service's message tells.",
    remedy: "Ask the owner of the DPS, with error code and message at hand.",
  },
  moved: {
    status: "warning",
    when: "DPS names another hub than the stored assignment.",
    cause: "The device was assigned anew, by another process or an older state directory.",
    remedy: "Run `landfall provision`, or restart the agent: it asks DPS once the old hub refuses it.",
  },
  busy: {
    status: "unknown",
    when: "DPS answers 429 or 5xx.",
    cause: "The service has too much to do, or a fault.",
    remedy: "Try again later.",
  },
  refused: {
    status: "failed",
    when: "DPS answers with another error.",
    cause: "The service's error code and message tell.",
    remedy: "Check id_scope and registration_id; ask the owner of the DPS, with error code and tracking id at hand.",
  },
  "not-dps": {
    status: "failed",
    when: "What answers is not DPS.",
    cause: "Something between the device and the service alters traffic, or answers in its place.",
    remedy: "Ask whoever runs the network about proxies and inspection on the way.",
  },
  "no-answer": {
    status: "failed",
    when: "TLS works, and the request is not answered.",
    cause: "Something between the device and the service cuts the connection after the handshake.",
    remedy: "Ask whoever runs the network about proxies and inspection on the way.",
  },
} as const;

/** A look-up knows no challenge. */
const onlyByRegistering =
  "a TPM proves itself only while it registers: it signs with a key that comes by a challenge of DPS";

type Found = CheckCall<keyof typeof failures>["found"];

/** Whether DPS accepts this device's credential, found out without registering it. */
export const dpsAuthentication = defineCheck({
  id: "dps.authentication",
  group: "access",
  title: "Credential at DPS",
  does: "Looks this device's registration up over HTTPS, with its credential. Registers nothing, and changes nothing at DPS; not applicable to a TPM, which DPS challenges only while it registers.",
  dependsOn: ["tls.dps.443"],
  follows: [...credentialChecks, "state.assignment"],
  deadlineMs: 30_000,
  failures,
  async run(context, { signal, results, found }) {
    const subject = await context.subject("dps");
    if (subject === undefined) return { skipped: "DPS is not asked here" };
    if (identityOf(context.settings).method === "tpm") return { skipped: onlyByRegistering };
    const broken = credentialChecks.find((id) => results.get(id)?.status === "failed");
    if (broken !== undefined) return { skipped: `needs ${broken}`, because: broken };
    try {
      return judge(await context.lookUp(), { context, subject, results }, found);
    } catch (error) {
      signal.throwIfAborted();
      if (isLandfallError(error) && !error.code.startsWith("transport.") && !error.code.startsWith("endpoint.")) {
        return { skipped: saidBy(error), because: "credential.readable" };
      }
      return {
        summary: "no answer",
        findings: [found("no-answer", { text: saidBy(error) })],
        data: { outcome: "no-answer" },
      };
    }
  },
});

interface Circumstances {
  readonly context: DoctorContext;
  readonly subject: Subject;
  readonly results: ReadonlyMap<string, CheckResult>;
}

function judge(lookUp: RegistrationLookUp, about: Circumstances, found: Found): Outcome {
  const { context, subject } = about;
  const { host = "", decision } = subject;
  const { knownPrivate } = sightOf(host, context.endpoint, subject.evidence);
  const { status, errorCode, answer } = lookUp;
  const findings = findingsOf(lookUp, about, found);
  const report = "report" in answer ? answer.report : undefined;
  return {
    summary:
      findings[0]?.text ?? (answer.kind === "assigned" ? `assigned to ${answer.assignment.assignedHub}` : "accepted"),
    findings,
    evidence: [
      `${decision.host} answered ${status}${errorCode === undefined ? "" : `, x-ms-error-code ${errorCode}`}`,
      ...(report === undefined ? [] : [JSON.stringify(report)]),
    ],
    data: {
      outcome: findings[0]?.code ?? answer.kind,
      status,
      path: decision.path,
      knownPrivate,
      ...(report?.errorCode === undefined ? {} : { errorCode: report.errorCode }),
      ...(report?.trackingId === undefined ? {} : { trackingId: report.trackingId }),
    },
  };
}

function findingsOf({ status, answer }: RegistrationLookUp, { results }: Circumstances, found: Found): Finding[] {
  const stored = results.get("state.assignment")?.data;
  switch (answer.kind) {
    case "assigning":
      return [];
    case "assigned": {
      const { assignedHub } = answer.assignment;
      const before = stored?.isOurs === true ? stored.assignedHub : undefined;
      if (before === undefined || before === assignedHub) return [];
      return [found("moved", { text: `DPS names ${assignedHub}, and the stored assignment ${String(before)}` })];
    }
    case "disabled":
      return [found("disabled", { text: "the enrollment of this device is disabled" })];
    case "failed": {
      const { errorCode, message = "" } = answer.report;
      const isHubs =
        errorCode === 400209 || errorCode === 401001 || /IotHub\w*Unauthorized|IotHubNotFound/i.test(message);
      const text = `the last registration failed: ${errorCode ?? "no error code"} ${message}`;
      return [found(isHubs ? "hub-unauthorized" : "assignment-failed", { text })];
    }
    case "refused":
      return [refusal(status, stored?.isOurs === true, found)];
    case "challenge":
    case "malformed":
      return [found("not-dps", { text: "the answer is none that DPS gives to a look-up" })];
  }
}

function refusal(status: number, isStored: boolean, found: Found): Finding {
  if (status === 401 || status === 403)
    return found("unauthorized", { text: `DPS refused the credential (${status})` });
  if (status === 404) {
    const text = "DPS knows no registration of this device (404)";
    return found(isStored ? "enrollment-gone" : "not-registered", { text });
  }
  if (status === 429 || status >= 500) return found("busy", { text: `DPS answered ${status}` });
  return found("refused", { text: `DPS answered ${status}` });
}
