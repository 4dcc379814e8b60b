import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RawTable } from "../../config/fault.ts";
import { renderTemplate } from "../../config/template.ts";
import type { Emulator } from "../../emulator/index.ts";
import type { Identity } from "./identity/identity.ts";

/** What a demo's device has on its disk, and who serves it. */
export interface DeviceFiles {
  readonly emulator: Emulator;
  readonly identity: Identity;
  readonly directory: string;
}

/** Settings beside the usual ones, by the names of the file. */
export interface FurtherSettings {
  readonly provisioning?: RawTable;
  readonly network?: RawTable;
}

/** Writes the configuration file of a device that has its identity; gives the file's path. */
export async function writeConfiguration(
  { emulator, identity, directory }: DeviceFiles,
  { provisioning, network }: FurtherSettings = {},
): Promise<string> {
  const file = (name: string): string => join(directory, name);
  const configuration = renderTemplate({
    provisioning: { source: "dps", id_scope: emulator.ready.idScope, ...provisioning, ...identity.provisioning },
    network: { trust_bundle: emulator.ready.caFile, connect_to: [...emulator.connectTo], ...network },
    telemetry: { interval: "2s" },
    methods: { greet: { command: [process.execPath, "-p", "JSON.stringify({ hello: 'from the device' })"] } },
    state: { directory: file("state") },
  });
  await writeFile(file("landfall.toml"), configuration, { mode: 0o600 });
  return file("landfall.toml");
}
