import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { faultLine } from "../config/fault.ts";
import { renderTemplate } from "../config/template.ts";
import { validate } from "../config/validate.ts";
import { LandfallError } from "../errors.ts";
import { type Command, type OptionValues, textOption } from "./command.ts";
import { askFor, type Question } from "./questions.ts";

type Answers = Readonly<Record<string, string | undefined>>;

const isX509WithFiles = (answers: Answers): boolean => answers.method === "x509" && answers.pkcs12 === undefined;

/** Every answer that a configuration starts from, by the name of its flag. */
const questions: readonly Question[] = [
  { flag: "id-scope", ask: "ID scope of the Device Provisioning Service (0ne…)" },
  { flag: "method", ask: "Attestation", choices: ["x509", "symmetric_key", "tpm"] },
  {
    flag: "registration-id",
    ask: "Registration id (for x509: the common name of the certificate)",
    // Without one it is made from the TPM's endorsement key.
    when: ({ method }) => method !== "tpm",
  },
  { flag: "cert", ask: "Certificate file, PEM, leaf first", when: isX509WithFiles },
  { flag: "key", ask: "Private key file, PEM", when: isX509WithFiles },
  {
    flag: "symmetric-key-file",
    ask: "File that holds the symmetric key, base64",
    when: ({ method }) => method === "symmetric_key",
  },
];

/** The flags that make sense with one method only. */
const flagsOf: Readonly<Record<string, readonly string[]>> = {
  x509: ["cert", "key", "pkcs12"],
  symmetric_key: ["symmetric-key-file", "derive"],
  tpm: ["tpm"],
};

/** `landfall init`: writes a commented configuration file. */
export const init: Command = {
  name: "init",
  description:
    "Writes a commented landfall.toml from the flags given. What is missing is asked for on a terminal. " +
    "Keys stay where they are: the file only says where to find them.",
  options: {
    "id-scope": { type: "string", value: "SCOPE", help: "ID scope of the Device Provisioning Service" },
    method: { type: "string", value: "METHOD", help: "x509, symmetric_key or tpm; other flags may tell already" },
    "registration-id": { type: "string", value: "ID", help: "registration id of this device" },
    cert: { type: "string", value: "FILE", help: "x509: certificate chain, PEM, leaf first" },
    key: { type: "string", value: "FILE", help: "x509: private key, PEM" },
    pkcs12: { type: "string", value: "FILE", help: "x509: certificate and key in one PKCS#12 file" },
    "symmetric-key-file": { type: "string", value: "FILE", help: "symmetric_key: file that holds the key, base64" },
    derive: { type: "boolean", help: "symmetric_key: the key is the enrollment group's; derive the device's from it" },
    tpm: { type: "string", value: "LOCATION", help: "tpm: where it is, such as device:/dev/tpmrm0" },
    transport: {
      type: "string",
      value: "NAME",
      help: "mqtt (port 8883, the default) or mqtt-ws (port 443); https (port 443) for DPS alone",
    },
    output: {
      type: "string",
      short: "o",
      value: "FILE",
      help: "where to write (default: landfall.toml; -: standard output)",
    },
    force: { type: "boolean", help: "overwrite the file" },
  },
  async run(invocation) {
    const options = withMethod(invocation.options);
    const configuration = configurationFrom(await askFor(questions, { ...invocation, options }));
    requireValid(configuration);
    const text = renderTemplate(configuration);
    const output = textOption(options, "output") ?? "landfall.toml";
    if (output === "-") {
      invocation.terminal.out.write(text);
      return 0;
    }
    await write(resolve(output), text, options.force === true);
    const steps = [
      `landfall run --check-config -c ${output}`,
      ...(configuration.provisioning.attestation.method === "tpm" ? [`landfall keys tpm -c ${output}`] : []),
      `landfall provision -c ${output}`,
    ];
    invocation.terminal.err.write(`wrote ${output}\nnext: ${steps.join(", then ")}\n`);
    return 0;
  },
};

/** Flags of one method tell the method; flags of both contradict each other. */
function withMethod(options: OptionValues): OptionValues {
  const chosen = Object.keys(flagsOf).filter((method) => flagsOf[method]?.some((flag) => options[flag] !== undefined));
  const [method = options.method] = chosen;
  if (chosen.length > 1 || (options.method !== undefined && method !== options.method)) {
    const given = Object.values(flagsOf)
      .flat()
      .filter((flag) => options[flag] !== undefined);
    const shown = [...(options.method === undefined ? [] : [`method ${options.method}`]), ...given];
    throw new LandfallError(
      "cli.usage",
      `init: these contradict each other: ${shown.map((flag) => `--${flag}`).join(", ")}`,
    );
  }
  if (options.pkcs12 !== undefined && (options.cert !== undefined || options.key !== undefined)) {
    throw new LandfallError("cli.usage", "init: give either --pkcs12, or --cert and --key");
  }
  return { ...options, method };
}

function configurationFrom(answers: Answers) {
  const { method, transport } = answers;
  // A hub has no MQTT over HTTPS, and DPS takes a TPM over nothing else.
  const hubTransport = transport === "https" ? undefined : transport;
  return {
    provisioning: {
      source: "dps",
      id_scope: answers["id-scope"],
      transport: method === "tpm" ? "https" : transport,
      attestation: {
        method,
        registration_id: answers["registration-id"],
        ...keySettings(answers),
      },
    },
    ...(hubTransport === undefined ? {} : { hub: { transport: hubTransport } }),
  };
}

function keySettings(answers: Answers): Record<string, unknown> {
  if (answers.method === "tpm") return answers.tpm === undefined ? {} : { tpm: answers.tpm };
  return answers.method === "x509" ? x509(answers) : symmetricKey(answers);
}

function x509({ cert, key, pkcs12 }: Answers): Record<string, unknown> {
  if (pkcs12 !== undefined) return { identity_pkcs12: fileAnswer(pkcs12) };
  return { identity_cert: fileAnswer(cert), identity_pk: fileAnswer(key) };
}

function symmetricKey(answers: Answers): Record<string, unknown> {
  const uri = pathToFileURL(answers["symmetric-key-file"] ?? "").href;
  return { symmetric_key: { uri }, ...(answers.derive ? { derive: true } : {}) };
}

/** What was typed starts from the working directory, but a path in the file would start from the file's own folder. */
function fileAnswer(typed = ""): string {
  return /^[a-z][a-z0-9+.-]+:/i.test(typed) ? typed : resolve(typed);
}

/** Files are not looked at: they may be put in place later, and the agent may run as another user elsewhere. */
function requireValid(configuration: Record<string, unknown>): void {
  const { faults } = validate(configuration, { env: {}, baseDirectory: process.cwd(), isRoot: true });
  if (faults.length === 0) return;
  const details = faults.map(faultLine);
  throw new LandfallError("config.invalid", "init: these answers make no valid configuration", { details });
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
