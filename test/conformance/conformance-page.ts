import { createRequire } from "node:module";
import { type Client, clients } from "./clients.ts";
import { dpsFlows } from "./dps-flows.ts";
import type { Flow } from "./flow.ts";
import { hubFlows } from "./hub-flows.ts";
import { tpmClientVersion } from "./tpm-client.ts";

/** What came of one flow with one client. */
export type Outcome =
  | { readonly kind: "pass" }
  | { readonly kind: "fail" }
  | { readonly kind: "not-supported"; readonly reason: string };

/** Outcomes by flow and client, as a run finds them. */
export class Outcomes {
  readonly #outcomes = new Map<Client, Map<Flow, Outcome>>();

  set(client: Client, flow: Flow, outcome: Outcome): void {
    const ofClient = this.#outcomes.get(client) ?? new Map<Flow, Outcome>();
    this.#outcomes.set(client, ofClient.set(flow, outcome));
  }

  of(client: Client, flow: Flow): Outcome | undefined {
    return this.#outcomes.get(client)?.get(flow);
  }

  /** Whether every flow was run with every client. */
  get areComplete(): boolean {
    return clients.every((client) => flowsOf(client).every((flow) => this.of(client, flow) !== undefined));
  }
}

/** The flows that a client is put through. */
export function flowsOf({ service }: Client): readonly Flow[] {
  return service === "dps" ? dpsFlows : hubFlows;
}

/** The page with everything that a run has found. */
export function conformancePage(outcomes: Outcomes): string {
  const notes: string[] = [];
  return `${[
    "# Conformance",
    "Microsoft's own device libraries for Node, as they come from npm, against the emulator: each client in a process of " +
      "its own, driven as its samples drive it, with the emulator's CA in `NODE_EXTRA_CA_CERTS` and nothing else changed. " +
      "This page is written by that run (`UPDATE_DOCS=1 npx vitest run --project conformance`), and the run fails when it " +
      "finds something else.",
    packageList(),
    "## Device Provisioning Service",
    table("dps", outcomes, notes),
    "## IoT Hub",
    table("hub", outcomes, notes),
    "## Not supported by the client",
    "What a client cannot do whatever service it speaks to; the run sees it refuse, or fail in just this way.",
    notes.map((note, index) => `${index + 1}. ${note}`).join("\n"),
    "## How the TPM's client is run",
    "`azure-iot-security-tpm` depends on a native module for Windows that does not compile for a Node of today, so it is " +
      "installed apart, in `test/conformance/tpm-client`, without the scripts of its packages; nothing in it is changed. " +
      "`TpmSecurityClient` takes a TPM of the caller's: here the library's own over swtpm, by a device that writes to its " +
      "socket.",
    "## How the clients find the emulator",
    "Over MQTT the libraries glue the host's name into a URL, so that `localhost:PORT` will do as the host of DPS; with " +
      '`assign: "localhost"` the emulator assigns hubs in the same form. No root, no hosts file, any port.',
    "Over WebSocket and HTTPS, file upload included, they put port 443 behind the name themselves. Those clients run in a " +
      "network and mount namespace of their own, where /etc/hosts leads the real names to the loopback. That takes root, " +
      "or a machine that lets its users have namespaces; where neither is given, these columns are left out of a run, " +
      "except with `CI=true`, where that is a failure.",
  ].join("\n\n")}\n`;
}

function packageList(): string {
  const require = createRequire(import.meta.url);
  const names = [
    "azure-iot-provisioning-device",
    ...new Set(clients.map((client) => client.package)),
    "azure-iot-device",
    "azure-iot-security-symmetric-key",
    "azure-iot-security-x509",
  ];
  const versions = names.map((name) => [name, (require(`${name}/package.json`) as { version: string }).version]);
  versions.push(["azure-iot-security-tpm", tpmClientVersion() ?? ""]);
  return `Packages: ${versions
    .map((each) => each.join(" "))
    .sort()
    .join(", ")}.`;
}

function table(service: Client["service"], outcomes: Outcomes, notes: string[]): string {
  const columns = clients.filter((client) => client.service === service);
  const [first] = columns;
  if (first === undefined) return "";
  const cell = (client: Client, flow: Flow): string => {
    const outcome = outcomes.of(client, flow) ?? { kind: "fail" };
    if (outcome.kind !== "not-supported") return outcome.kind;
    if (!notes.includes(outcome.reason)) notes.push(outcome.reason);
    return `not supported (${notes.indexOf(outcome.reason) + 1})`;
  };
  return [
    `| flow | ${columns.map((client) => `\`${client.transport}\``).join(" | ")} |`,
    `|---|${columns.map(() => "---").join("|")}|`,
    ...flowsOf(first).map((flow) => `| ${flow.title} | ${columns.map((client) => cell(client, flow)).join(" | ")} |`),
  ].join("\n");
}
