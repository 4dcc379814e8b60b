import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** The packages that a device with Microsoft's library installs for MQTT. */
export const sdkPackages: readonly string[] = [
  "azure-iot-device",
  "azure-iot-device-mqtt",
  "azure-iot-provisioning-device",
  "azure-iot-provisioning-device-mqtt",
  "azure-iot-security-symmetric-key",
];

/** Bytes in the files of the library and of all it depends on, and how many packages that are. */
export function sdkInstallation(): { readonly bytes: number; readonly packages: number } {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const found = new Set<string>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    for (const name of Object.keys(packages[path]?.dependencies ?? {})) visit(placeOf(packages, path, name));
  };
  for (const name of sdkPackages) visit(placeOf(packages, "", name));
  return { bytes: [...found].reduce((sum, path) => sum + bytesIn(path), 0), packages: found.size };
}

/** Where a package finds another one: below itself, or below whatever it is below of. */
function placeOf(packages: Readonly<Record<string, LockedPackage>>, from: string, name: string): string {
  for (let above = from; ; above = above.slice(0, Math.max(0, above.lastIndexOf("node_modules/") - 1))) {
    const place = `${above === "" ? "" : `${above}/`}node_modules/${name}`;
    if (place in packages) return place;
    if (above === "") throw new Error(`${from} depends on ${name}, which is not installed`);
  }
}

/** Bytes in the files of one package, without those that it has below it. */
function bytesIn(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    if (entry.name === "node_modules") return sum;
    const path = join(folder, entry.name);
    return sum + (entry.isDirectory() ? bytesIn(path) : lstatSync(path).size);
  }, 0);
}
