import { withoutPin } from "../config/hardware-uri.ts";
import { LandfallError } from "../errors.ts";
import { Secret } from "../secret.ts";
import { type Invocation, type OptionSpec, textOption } from "./command.ts";
import { readSecretFile } from "./secret-file.ts";

/** The options that give the password of a key, or the PIN of its token. */
export const keyPasswordOptions = {
  "password-file": {
    type: "string",
    value: "FILE",
    help: "create, csr: file that holds the key's password, or the token's PIN",
  },
  "password-env": {
    type: "string",
    value: "NAME",
    help: "create, csr: environment variable that holds the key's password, or the token's PIN",
  },
} as const satisfies Record<string, OptionSpec>;

/** The key that an invocation names, and its password if it names one. */
export interface NamedKey {
  readonly place: string;
  readonly password: Secret | undefined;
}

/** Reads the operand KEY and the options of {@link keyPasswordOptions}. Rejects with `cli.usage`, and like {@link readSecretFile}. */
export async function namedKey(invocation: Invocation): Promise<NamedKey> {
  const [action, place] = invocation.positionals;
  if (place === undefined || place === "")
    throw new LandfallError("cli.usage", `keys ${action}: expected a key's place`);
  if (/[?&]pin-value=/.test(place)) {
    throw new LandfallError(
      "cli.usage",
      `keys ${action}: expected no PIN on the command line, where every user of this machine could see it; found one in ${withoutPin(place)}`,
    );
  }
  return { place, password: await readPassword(invocation) };
}

async function readPassword({ options, env, terminal }: Invocation): Promise<Secret | undefined> {
  const file = textOption(options, "password-file");
  const variable = textOption(options, "password-env");
  if (file !== undefined && variable !== undefined) {
    throw new LandfallError("cli.usage", "keys: give either --password-file or --password-env");
  }
  if (file !== undefined) return readSecretFile(file, terminal);
  if (variable === undefined) return undefined;
  const value = env[variable];
  if (value) return new Secret(value);
  throw new LandfallError("config.secret-unreadable", `environment variable ${variable} is not set`);
}
