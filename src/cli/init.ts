import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { renderTemplate } from "../config/template.ts";
import { LandfallError } from "../errors.ts";
import { type Command, textOption } from "./command.ts";
import { askFor, type Question } from "./questions.ts";

/** Every answer that a configuration starts from, by the name of its flag. */
const questions: readonly Question[] = [
  { flag: "id-scope", ask: "ID scope of the Device Provisioning Service (0ne…)" },
  { flag: "method", ask: "Attestation", choices: ["x509", "symmetric_key"] },
  { flag: "registration-id", ask: "Registration id (for x509: the common name of the certificate)" },
  {
    flag: "cert",
    ask: "Certificate file, PEM, leaf first",
    when: (answers) => answers.method === "x509" && !answers.pkcs12,
  },
  { flag: "key", ask: "Private key file, PEM", when: (answers) => answers.method === "x509" && !answers.pkcs12 },
  {
    flag: "symmetric-key-file",
    ask: "File that holds the symmetric key, base64",
    when: (answers) => answers.method === "symmetric_key",
  },
];

/** `landfall init`: writes a commented configuration file. */
export const init: Command = {
  name: "init",
  description:
    "Writes a commented landfall.toml from the flags given. What is missing is asked for on a terminal.\n" +
    "Keys stay where they are: the file only says where to find them.",
  options: {
    "id-scope": { type: "string", value: "SCOPE", help: "ID scope of the Device Provisioning Service" },
    method: { type: "string", value: "METHOD", help: "x509 or symmetric_key" },
    "registration-id": { type: "string", value: "ID", help: "registration id of this device" },
    cert: { type: "string", value: "FILE", help: "x509: certificate chain, PEM, leaf first" },
    key: { type: "string", value: "FILE", help: "x509: private key, PEM" },
    pkcs12: { type: "string", value: "FILE", help: "x509: certificate and key in one PKCS#12 file" },
    "symmetric-key-file": { type: "string", value: "FILE", help: "symmetric_key: file that holds the key, base64" },
    derive: { type: "boolean", help: "symmetric_key: the key is the enrollment group's; derive the device's from it" },
    transport: { type: "string", value: "NAME", help: "mqtt (port 8883, the default) or mqtt-ws (port 443)" },
    output: {
      type: "string",
      short: "o",
      value: "FILE",
      help: "where to write (default: landfall.toml; -: standard output)",
    },
    force: { type: "boolean", help: "overwrite the file" },
  },
  async run(invocation) {
    const text = renderTemplate(configurationFrom(await askFor(questions, invocation)));
    const output = textOption(invocation.options, "output") ?? "landfall.toml";
    if (output === "-") {
      invocation.terminal.out.write(text);
      return 0;
    }
    await write(resolve(output), text, invocation.options.force === true);
    invocation.terminal.err.write(
      `wrote ${output}\nnext: landfall run --check-config -c ${output}, then landfall provision -c ${output}\n`,
    );
    return 0;
  },
};

type Answers = Readonly<Record<string, string | undefined>>;

function configurationFrom(answers: Answers): Record<string, unknown> {
  const { method } = answers;
  if (method !== "x509" && method !== "symmetric_key") {
    throw new LandfallError("cli.usage", `init --method: expected x509 or symmetric_key, got "${method}"`);
  }
  return {
    provisioning: {
      source: "dps",
      id_scope: answers["id-scope"],
      transport: answers.transport,
      attestation: {
        method,
        registration_id: answers["registration-id"],
        ...(method === "x509" ? x509(answers) : symmetricKey(answers)),
      },
    },
    ...(answers.transport === undefined ? {} : { hub: { transport: answers.transport } }),
  };
}

function x509({ cert, key, pkcs12 }: Answers): Record<string, unknown> {
  return pkcs12 === undefined ? { identity_cert: cert, identity_pk: key } : { identity_pkcs12: pkcs12 };
}

function symmetricKey(answers: Answers): Record<string, unknown> {
  const file = resolve(answers["symmetric-key-file"] ?? "");
  return { symmetric_key: { uri: `file://${file}` }, ...(answers.derive ? { derive: true } : {}) };
}

async function write(file: string, text: string, overwrite: boolean): Promise<void> {
  try {
    await using handle = await open(file, overwrite ? "w" : "wx", 0o600);
    await handle.writeFile(text);
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === "EEXIST";
    throw new LandfallError(
      "cli.usage",
      exists ? `${file} exists already; --force overwrites it` : `cannot write ${file}`,
      { cause },
    );
  }
}
