import { withoutPin } from "../config/hardware-uri.ts";
import { isTpmUri } from "../config/tpm-uri.ts";
import { LandfallError } from "../errors.ts";
import { createKey } from "../keys/create-key.ts";
import type { Secret } from "../secret.ts";
import { type ExitCode, type Invocation, type OptionSpec, textOption } from "./command.ts";
import { namedKey } from "./keys-place.ts";
import { readSecretFile } from "./secret-file.ts";

/** The options of `landfall keys create` beside those of the key's password and `--json`. */
export const createdKeyOptions = {
  type: { type: "string", value: "TYPE", help: "create: ec (P-256, the default) or rsa (2048 bits; not in a TPM)" },
  "owner-password-file": {
    type: "string",
    value: "FILE",
    help: "create: file that holds the password of the TPM's owner, where one is set",
  },
} as const satisfies Record<string, OptionSpec>;

/** `landfall keys create`: makes a private key and prints its public half. */
export async function printCreatedKey(invocation: Invocation): Promise<ExitCode> {
  const { options, terminal, signal } = invocation;
  const type = textOption(options, "type") ?? "ec";
  if (type !== "ec" && type !== "rsa") {
    throw new LandfallError("cli.usage", `keys create: expected --type ec or rsa, got "${type}"`);
  }
  const { place, password } = await namedKey(invocation);
  const made = await createKey(place, {
    type,
    password,
    ownerPassword: await ownerPassword(invocation, place),
    signal,
  });
  const publicKey = made.export({ type: "spki", format: "pem" }).toString();
  const result = { schema: "landfall.created-key/1", key: withoutPin(place), type, publicKey };
  terminal.out.write(options.json === true ? `${JSON.stringify(result)}\n` : publicKey);
  return 0;
}

async function ownerPassword({ options, terminal }: Invocation, place: string): Promise<Secret | undefined> {
  const file = textOption(options, "owner-password-file");
  if (file === undefined) return undefined;
  if (isTpmUri(place)) return readSecretFile(file, terminal);
  throw new LandfallError("cli.usage", "keys create: expected --owner-password-file with a key in a TPM alone");
}
