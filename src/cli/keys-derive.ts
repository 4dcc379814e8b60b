import { text } from "node:stream/consumers";
import { untilAborted } from "../abort.ts";
import { deriveDeviceKey } from "../attestation/derive-key.ts";
import { checkRegistrationId } from "../attestation/registration-id.ts";
import { LandfallError } from "../errors.ts";
import { SymmetricKey } from "../keys/symmetric-key.ts";
import { Secret } from "../secret.ts";
import { type ExitCode, type Invocation, type OptionSpec, textOption } from "./command.ts";
import { readSecretFile } from "./secret-file.ts";

/** The options of `landfall keys derive` beside `--json`. */
export const deriveOptions = {
  "group-key-file": { type: "string", value: "FILE", help: "derive: file that holds the group key, base64" },
  "group-key-env": { type: "string", value: "NAME", help: "derive: environment variable that holds the group key" },
} as const satisfies Record<string, OptionSpec>;

/** `landfall keys derive`: the device key of each registration id. */
export async function printDerivedKeys(invocation: Invocation): Promise<ExitCode> {
  const [, ...registrationIds] = invocation.positionals;
  if (registrationIds.length === 0) {
    throw new LandfallError("cli.usage", "keys derive: expected at least one registration id");
  }
  for (const id of registrationIds) checkRegistrationId(id, "symmetric_key");
  const groupKey = SymmetricKey.parse(await readGroupKey(invocation));
  const derived: { registrationId: string; key: string }[] = [];
  for (const registrationId of registrationIds) {
    // Printing the key is what this command is for.
    const key = (await deriveDeviceKey(groupKey, registrationId)).toBase64().reveal();
    derived.push({ registrationId, key });
  }
  const { out } = invocation.terminal;
  if (invocation.options.json === true) {
    out.write(`${JSON.stringify({ schema: "landfall.derived-keys/1", keys: derived })}\n`);
  } else if (derived.length === 1) {
    out.write(`${derived[0]?.key}\n`);
  } else {
    for (const { registrationId, key } of derived) out.write(`${registrationId} ${key}\n`);
  }
  return 0;
}

async function readGroupKey({ options, env, terminal, signal }: Invocation): Promise<Secret> {
  const file = textOption(options, "group-key-file");
  const variable = textOption(options, "group-key-env");
  if (file !== undefined && variable !== undefined) {
    throw new LandfallError("cli.usage", "keys derive: give either --group-key-file or --group-key-env");
  }
  if (variable !== undefined) {
    const value = env[variable];
    if (value === undefined)
      throw new LandfallError("config.secret-unreadable", `environment variable ${variable} is not set`);
    return new Secret(value);
  }
  if (file !== undefined) return readSecretFile(file, terminal);
  if (terminal.input.isTTY) terminal.err.write("group key (base64), then Ctrl-D:\n");
  try {
    return new Secret(await untilAborted(text(terminal.input), signal));
  } finally {
    // Who still reads keeps the process alive.
    terminal.input.destroy();
  }
}
