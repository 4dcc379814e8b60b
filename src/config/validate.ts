import { unusedAziotKeys } from "./aziot-settings.ts";
import { checkEndpoint, endpointOfDps } from "./endpoint-schema.ts";
import { type Fault, isTable } from "./fault.ts";
import type { FileReference } from "./file-reference.ts";
import { checkMcu } from "./mcu-rules.ts";
import { Findings, Place, type Surroundings } from "./place.ts";
import { type ProxyEnvironment, proxyFromEnvironment } from "./proxy-environment.ts";
import { readNode } from "./read-node.ts";
import { type Draft, settingsSchema } from "./settings-schema.ts";
import { defaultStateDirectory } from "./state-directory.ts";

/** What can be said of a configuration without opening a file. */
export interface Validation {
  /** The settings, with what stands in files still to be read; absent as soon as there is a fault. */
  readonly draft?: ValidDraft;
  readonly faults: readonly Fault[];
  readonly warnings: readonly string[];
  /** The files that the settings point to, also those of a configuration with faults. */
  readonly files: readonly FileReference[];
  /** A secret stands in the configuration itself, so the mode of its file matters. */
  readonly holdsSecret: boolean;
}

/** A {@link Draft}, and what the environment adds to it. */
export interface ValidDraft {
  readonly settings: Draft;
  readonly proxies: ProxyEnvironment;
  readonly stateDirectory: string;
}

/**
 * Judges a configuration: `table` has the shape of the TOML file. Every fault is reported, not only the first.
 * Opens no file and contacts nothing; never throws on plain data.
 */
export function validate(table: unknown, surroundings: Surroundings): Validation {
  const findings = new Findings();
  const top = new Place(surroundings, findings);
  const settings = readNode(settingsSchema, withoutUnused(table, findings), top) as Draft | undefined;
  const proxies = proxyFromEnvironment(surroundings.env);
  const stateDirectory = settings?.state?.directory ?? defaultStateDirectory(surroundings);
  if (isTable(table)) checkAcrossTables(table, proxies, top);
  if (stateDirectory === undefined) {
    top.at("state").at("directory").fault({ expected: "a path", found: "nothing, and no HOME in the environment" });
  }
  const { faults, warnings, files, holdsSecret } = findings;
  if (settings?.provisioning?.source === "dps") {
    checkEndpoint(endpointOfDps(settings.provisioning), top.at("provisioning"));
  }
  if (settings !== undefined) checkMcu(settings, top);
  const valid = faults.length === 0 && settings !== undefined && stateDirectory !== undefined;
  const draft = valid ? { draft: { settings, proxies, stateDirectory } } : {};
  return { ...draft, faults, warnings, files, holdsSecret };
}

/** Takes off the keys of aziot that mean nothing here, and says which. */
function withoutUnused(table: unknown, findings: Findings): unknown {
  if (!isTable(table)) return table;
  const unused = unusedAziotKeys.filter((key) => Object.hasOwn(table, key));
  if (unused.length > 0)
    findings.warnings.push(`landfall has no use for these settings of aziot: ${unused.join(", ")}`);
  return Object.fromEntries(Object.entries(table).filter(([key]) => !unused.includes(key)));
}

/** Rules that concern more than one table. They look at what was written, so that they work beside other faults. */
function checkAcrossTables(table: Readonly<Record<string, unknown>>, proxies: ProxyEnvironment, top: Place): void {
  const network = isTable(table.network) ? table.network : {};
  const onPort443 = [table.provisioning, table.hub].some(
    (part) => isTable(part) && ["mqtt-ws", "https"].includes(String(part.transport)),
  );
  if (network.proxy !== undefined && !onPort443) {
    top.findings.warnings.push(
      'network.proxy is not used: MQTT on port 8883 goes directly; a proxy carries transport = "mqtt-ws" or "https" only',
    );
  }
  // A variable that no connection of this configuration looks at may hold anything.
  if (network.proxy === undefined && onPort443 && proxies.fault) top.findings.faults.push(proxies.fault);
  if (table.trust_bundle_cert !== undefined && network.trust_bundle !== undefined) {
    top.at("trust_bundle_cert").fault({
      expected: "either this or network.trust_bundle",
      found: "both",
    });
  }
}
