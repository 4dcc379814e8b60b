import { readFileSync } from "node:fs";
import { decode } from "cborg";
import { Cddl } from "./cddl.ts";

/** Which rule of docs/mcu.cddl a message follows, by operation, group and command. */
const rules: Readonly<Record<string, string>> = {
  "read 70/0": "identity-request",
  "read-response 70/0": "identity-response",
  "write 70/1": "sas-request",
  "write-response 70/1": "sas-response",
  "read 70/2": "certificate-request",
  "read-response 70/2": "certificate-response",
  "write 70/3": "sign-request",
  "write-response 70/3": "sign-response",
  "write 70/4": "tpm-request",
  "write-response 70/4": "tpm-response",
  "read 70/4": "tpm-answer-request",
  "read-response 70/4": "tpm-answer-response",
  "write 71/0": "push-request",
  "write-response 71/0": "push-response",
  "write 71/1": "telemetry-request",
  "write-response 71/1": "telemetry-response",
  "write 72/0": "command-request",
  "write-response 72/0": "command-response",
  "read 72/1": "commands-request",
  "read-response 72/1": "commands-response",
};

/** A message, as far as the contract looks at it. */
export interface ContractMessage {
  readonly operation: string;
  readonly group: number;
  readonly command: number;
  readonly body: object;
}

/** What landfall and firmware have agreed on: docs/mcu.cddl. */
export const contract = new Cddl(readFileSync(new URL("../../docs/mcu.cddl", import.meta.url), "utf8"), (bytes) =>
  decode(Uint8Array.from(bytes)),
);

/** The rules that messages follow, and the one for settings. */
export const rulesInUse: readonly string[] = [...Object.values(rules), "setting-value"];

/** What is wrong with a message by the contract; undefined when nothing is, or when it says nothing of such messages. */
export function contractFault({ operation, group, command, body }: ContractMessage): string | undefined {
  if (operation.endsWith("response") && ("err" in body || "rc" in body)) return undefined;
  if (operation === "write" && group === 3 && command === 0) {
    return contract.fault("setting-value", (body as { val?: unknown }).val);
  }
  const rule = rules[`${operation} ${group}/${command}`];
  if (rule !== undefined) return contract.fault(rule, body);
  return group >= 70 ? `${operation} ${group}/${command} is not in the contract` : undefined;
}
