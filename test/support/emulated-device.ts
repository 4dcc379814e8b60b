import { stringify } from "smol-toml";
import type { Emulator } from "../../src/emulator/index.ts";
import type { ScratchFolder } from "./scratch-folder.ts";

/** Tables of a configuration, as TOML has them. */
type Tables = Readonly<Record<string, unknown>>;

/** Writes `NAME.toml`; its state goes to a folder of its own. Returns its path. */
export function writeConfiguration(folder: ScratchFolder, name: string, tables: Tables): Promise<string> {
  return folder.write(`${name}.toml`, stringify({ state: { directory: folder.file(`${name}-state`) }, ...tables }));
}

/** `[network]` that leads every Azure name to the emulator. */
export function networkOf(emulator: Emulator): Tables {
  return { trust_bundle: emulator.ready.caFile, connect_to: [...emulator.connectTo] };
}

/** Adds a device to the first hub and writes a configuration that needs no DPS. Returns the file and the connection string. */
export async function connectedByHand(
  emulator: Emulator,
  folder: ScratchFolder,
  deviceId: string,
  tables: Tables = {},
): Promise<{ readonly file: string; readonly connectionString: string }> {
  const device = emulator.hub().addDevice({ deviceId, authentication: { method: "symmetric_key" } });
  const connectionString = device.connectionString ?? "";
  const uri = `file://${await folder.write(`${deviceId}.connection`, connectionString)}`;
  const file = await writeConfiguration(folder, deviceId, {
    provisioning: { source: "manual", connection_string: { uri } },
    network: networkOf(emulator),
    ...tables,
  });
  return { file, connectionString };
}

/** Enrolls a device with a symmetric key of its own and writes its configuration. Returns the file and the key. */
export async function symmetricKeyDevice(
  emulator: Emulator,
  folder: ScratchFolder,
  registrationId: string,
  { provisioning, ...tables }: { readonly provisioning?: Tables; readonly [table: string]: unknown } = {},
): Promise<{ readonly file: string; readonly key: string }> {
  const enrollment = emulator.dps.enroll({ registrationId, attestation: { method: "symmetric_key" } });
  const key = enrollment.deviceKey();
  const uri = `file://${await folder.write(`${registrationId}.key`, key)}`;
  const file = await writeConfiguration(folder, registrationId, {
    provisioning: {
      source: "dps",
      id_scope: emulator.ready.idScope,
      ...provisioning,
      attestation: { method: "symmetric_key", registration_id: registrationId, symmetric_key: { uri } },
    },
    network: networkOf(emulator),
    ...tables,
  });
  return { file, key };
}
