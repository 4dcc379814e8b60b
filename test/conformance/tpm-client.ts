import { readFileSync } from "node:fs";

/** A folder of its own, with a lock file of its own: see the `.npmrc` in there. `npm run peers` installs it. */
const manifest = new URL("tpm-client/node_modules/azure-iot-security-tpm/package.json", import.meta.url);

/** Version of Microsoft's TPM client; `undefined` where it is not installed. */
export function tpmClientVersion(): string | undefined {
  try {
    return (JSON.parse(readFileSync(manifest, "utf8")) as { readonly version: string }).version;
  } catch {
    return undefined;
  }
}
