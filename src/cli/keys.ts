import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { untilAborted } from "../abort.ts";
import { deriveDeviceKey } from "../attestation/derive-key.ts";
import { checkRegistrationId } from "../attestation/registration-id.ts";
import { LandfallError } from "../errors.ts";
import { SymmetricKey } from "../keys/symmetric-key.ts";
import { Secret } from "../secret.ts";
import { type Command, configOption, type Invocation, jsonOption, textOption } from "./command.ts";
import { printTpmKeys, tpmOptions } from "./keys-tpm.ts";

/** `landfall keys`: what can be done with keys outside a running agent. */
export const keys: Command = {
  name: "keys",
  operands: "derive ID… | tpm",
  description:
    "derive prints the device key of each registration id, derived from an enrollment group's key. The group key comes " +
    "from a file, an environment variable or standard input, never from the command line, where every user of this " +
    "machine could see it.\n" +
    "tpm prints what an enrollment of this machine's TPM needs: registration id, endorsement key and storage root key, and " +
    "the endorsement key's certificate where the TPM has one. Keys that the TPM does not have yet are created in it.",
  options: {
    "group-key-file": { type: "string", value: "FILE", help: "file that holds the group key, base64" },
    "group-key-env": { type: "string", value: "NAME", help: "environment variable that holds the group key" },
    ...configOption,
    ...tpmOptions,
    ...jsonOption("landfall.derived-keys/1, landfall.tpm-keys/1"),
  },
  maxPositionals: Number.POSITIVE_INFINITY,
  async run(invocation) {
    const [action, ...registrationIds] = invocation.positionals;
    if (action === "tpm" && registrationIds.length === 0) return printTpmKeys(invocation);
    if (action !== "derive") {
      throw new LandfallError(
        "cli.usage",
        `keys: expected "derive" or "tpm", got ${action === undefined ? "nothing" : `"${action}"`}`,
      );
    }
    if (registrationIds.length === 0)
      throw new LandfallError("cli.usage", "keys derive: expected at least one registration id");
    return derive(registrationIds, invocation);
  },
};

async function derive(registrationIds: readonly string[], invocation: Invocation): Promise<number> {
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
  if (file !== undefined) {
    try {
      return new Secret(await readFile(file, "utf8"));
    } catch (cause) {
      throw new LandfallError("config.secret-unreadable", `cannot read the group key from ${file}`, { cause });
    }
  }
  if (terminal.input.isTTY) terminal.err.write("group key (base64), then Ctrl-D:\n");
  try {
    return new Secret(await untilAborted(text(terminal.input), signal));
  } finally {
    // Who still reads keeps the process alive.
    terminal.input.destroy();
  }
}
