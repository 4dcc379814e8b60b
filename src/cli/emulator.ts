import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { whenAborted } from "../abort.ts";
import {
  Emulator,
  type EmulatorOptions,
  type EnrollmentOptions,
  parseEnrollmentFile,
  parseFaultFile,
  seededRandom,
} from "../emulator/index.ts";
import { isLandfallError, LandfallError } from "../errors.ts";
import { type Command, type OptionValues, textOption } from "./command.ts";
import { printEmulatorEvents } from "./emulator-event-lines.ts";

/** `landfall emulator`: DPS and IoT hubs on this machine. */
export const emulator: Command = {
  name: "emulator",
  description:
    "Runs a Device Provisioning Service and IoT hubs on this machine until SIGINT or SIGTERM. Prints one line of JSON " +
    "(landfall.emulator/1: ports, CA file, id scope, hubs, connect_to rules) on standard output when it is ready. " +
    "Credentials are checked as the cloud checks them. It is meant for tests, and listens on 127.0.0.1 unless told " +
    "otherwise.",
  options: {
    enrollments: { type: "string", value: "FILE", help: "enrollments, TOML or JSON" },
    enroll: {
      type: "string",
      multiple: true,
      value: "ID",
      help: "enroll a device with a generated symmetric key, which the ready line shows; may be repeated",
    },
    hub: { type: "string", multiple: true, value: "NAME", help: "a hub; may be repeated (default: hub-a)" },
    "id-scope": { type: "string", value: "SCOPE", help: "ID scope (default: 0ne00ABCDEF)" },
    host: { type: "string", value: "ADDRESS", help: "address to listen on (default: 127.0.0.1)" },
    "mqtt-port": { type: "string", value: "PORT", help: "MQTT over TLS (default: 8883; 0: any free port)" },
    "ws-port": {
      type: "string",
      value: "PORT",
      help: "HTTPS and MQTT over WebSocket (default: 8443, since 443 may take rights; 0: any free port)",
    },
    assign: {
      type: "string",
      value: "FORM",
      help: "hand out hubs by name (default), or as localhost with the port, for clients that cannot dial elsewhere",
    },
    broker: {
      type: "string",
      value: "URL",
      help: "attach DPS and hubs to a broker, mqtts://[user:password@]host[:port], for one device at a time",
    },
    "broker-ca": { type: "string", value: "FILE", help: "PEM of the CA of the broker (default: the platform's)" },
    directory: {
      type: "string",
      value: "DIR",
      help: "keep the certificate authority here (default: a new one each time)",
    },
    faults: { type: "string", value: "FILE", help: "faults to serve, TOML or JSON" },
    seed: { type: "string", value: "NUMBER", help: "makes keys and ids the same each time (default: random ones)" },
    events: {
      type: "boolean",
      help: "after the ready line, print a line of JSON for all that DPS and hubs see (landfall.emulator-event/1)",
    },
    json: { type: "boolean", help: "print an error as JSON too; the ready line is JSON in any case" },
  },
  async run({ options, terminal, signal, logger }) {
    const log = logger();
    const ids = (options.enroll ?? []) as readonly string[];
    const enrollments = [...(await enrollmentsFrom(textOption(options, "enrollments"))), ...ids.map(withOwnKey)];
    const broker = await brokerOption(options);
    await using running = await start({ log, ...serviceOptions(options), ...broker, enrollments });
    const { ready, connectTo, dps } = running;
    const enrolled = ids.map((registrationId) => {
      const primaryKey = dps.enrollments.find(({ id }) => id === registrationId)?.primaryKey;
      return { registrationId, primaryKey };
    });
    const shown = enrolled.length === 0 ? {} : { enrollments: enrolled };
    terminal.out.write(`${JSON.stringify({ ...ready, connectTo, ...shown })}\n`);
    if (enrollments.length === 0) {
      log.warn("nobody is enrolled, so every registration is refused; see --enrollments and --enroll");
    }
    await (options.events === true ? printEmulatorEvents(running, terminal.out, { signal }) : whenAborted(signal));
    return 0;
  },
};

async function enrollmentsFrom(file: string | undefined): Promise<readonly EnrollmentOptions[]> {
  if (file === undefined) return [];
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new LandfallError("emulator.enrollment-file", `${file} cannot be read`, { cause });
  }
  return inFile(file, () => parseEnrollmentFile(text, { baseDirectory: dirname(resolve(file)) }));
}

function faultsOption(options: OptionValues): Pick<EmulatorOptions, "faults"> {
  const file = textOption(options, "faults");
  if (file === undefined) return {};
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new LandfallError("emulator.fault-file", `${file} cannot be read`, { cause });
  }
  return { faults: inFile(file, () => parseFaultFile(text)) };
}

/** Says of what is wrong in a file which file that is. */
function inFile<T>(file: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (!isLandfallError(cause)) throw cause;
    throw new LandfallError(cause.code, `${file}: ${cause.message}`, { cause, details: cause.details });
  }
}

function withOwnKey(registrationId: string): EnrollmentOptions {
  return { registrationId, attestation: { method: "symmetric_key" } };
}

function serviceOptions(options: OptionValues): EmulatorOptions {
  const host = textOption(options, "host");
  const idScope = textOption(options, "id-scope");
  const directory = textOption(options, "directory");
  const hubs = options.hub as readonly string[] | undefined;
  return {
    mqttPort: portOption(options, "mqtt-port", 8883),
    webSocketPort: portOption(options, "ws-port", 8443),
    assign: assignOption(options),
    ...(host === undefined ? {} : { host }),
    ...(idScope === undefined ? {} : { idScope }),
    // Absolute, because the ready line is for programs that may work elsewhere.
    ...(directory === undefined ? {} : { directory: resolve(directory) }),
    ...(hubs === undefined ? {} : { hubs }),
    ...seedOption(options),
    ...faultsOption(options),
  };
}

function portOption(options: OptionValues, name: string, fallback: number): number {
  const text = textOption(options, name);
  if (text === undefined) return fallback;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new LandfallError("cli.usage", `emulator --${name}: expected a port from 0 to 65535, got "${text}"`);
}

function seedOption(options: OptionValues): Pick<EmulatorOptions, "random"> {
  const text = textOption(options, "seed");
  if (text === undefined) return {};
  if (/^\d{1,10}$/.test(text) && Number(text) < 2 ** 32) return { random: seededRandom(Number(text)) };
  throw new LandfallError("cli.usage", `emulator --seed: expected an integer from 0 to 4294967295, got "${text}"`);
}

function assignOption(options: OptionValues): "name" | "localhost" {
  const form = textOption(options, "assign") ?? "name";
  if (form === "name" || form === "localhost") return form;
  throw new LandfallError("cli.usage", `emulator --assign: expected name or localhost, got "${form}"`);
}

async function brokerOption(options: OptionValues): Promise<Pick<EmulatorOptions, "broker">> {
  const url = textOption(options, "broker");
  const caFile = textOption(options, "broker-ca");
  if (caFile === undefined) return url === undefined ? {} : { broker: { url } };
  if (url === undefined) throw new LandfallError("cli.usage", "emulator --broker-ca: expected --broker with it");
  try {
    return { broker: { url, ca: await readFile(caFile, "utf8") } };
  } catch (cause) {
    throw new LandfallError("cli.usage", `emulator --broker-ca: ${caFile} cannot be read`, { cause });
  }
}

/** What the emulator refuses at its start was asked for on the command line. */
async function start(options: EmulatorOptions): Promise<Emulator> {
  try {
    return await Emulator.start(options);
  } catch (cause) {
    if (!isLandfallError(cause) || cause.code !== "emulator.rejected") throw cause;
    throw new LandfallError("cli.usage", `emulator: ${cause.message}`, { cause });
  }
}
