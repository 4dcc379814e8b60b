import type { Pkcs11Uri } from "../../config/pkcs11-uri.ts";
import { LandfallError } from "../../errors.ts";
import { Secret } from "../../secret.ts";
import { readKeyFile } from "../key-file.ts";

/** The PIN of a token, and what should be said about the file that it is kept in. */
export interface FoundPin {
  readonly pin: Secret;
  readonly warnings: readonly string[];
}

/**
 * The PIN for a URI: the one given beside it, else its `pin-source`, else its `pin-value`.
 *
 * Rejects with `key.wrong-pin` when there is none, since OpenSSL would ask for one on the terminal and wait;
 * `key.world-readable` when everybody may read the file; `config.secret-unreadable` when file or variable are not there.
 */
export async function findPin(
  { pinSource, pinValue }: Pick<Pkcs11Uri, "pinSource" | "pinValue">,
  given: Secret | undefined,
  env: NodeJS.ProcessEnv = process.env,
): Promise<FoundPin> {
  const known = given ?? (pinSource === undefined ? pinValue : undefined);
  if (known !== undefined) return { pin: known, warnings: [] };
  if (pinSource === undefined) throw new LandfallError("key.wrong-pin", "No PIN is set for the token.");
  if (pinSource.kind === "file") {
    const { bytes, path, warnings } = await readKeyFile(pinSource.file);
    return { pin: required(bytes.toString("utf8").replace(/\r?\n$/, ""), `the file ${path}`), warnings };
  }
  const value = env[pinSource.variable];
  if (value === undefined) {
    throw new LandfallError(
      "config.secret-unreadable",
      `The environment variable ${pinSource.variable}, which holds the PIN of the token, is not set.`,
    );
  }
  return { pin: required(value, `the environment variable ${pinSource.variable}`), warnings: [] };
}

function required(text: string, place: string): Secret {
  if (text === "") throw new LandfallError("key.wrong-pin", `Expected the PIN of the token in ${place}; it is empty.`);
  return new Secret(text);
}
