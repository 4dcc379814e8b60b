import { readFile } from "node:fs/promises";
import { whenAborted } from "../abort.ts";
import { Emulator, type EnrollmentOptions, parseEnrollmentFile } from "../emulator/index.ts";
import { LandfallError } from "../errors.ts";
import { type Command, type Invocation, textOption } from "./command.ts";

/** `landfall emulator`: DPS and IoT hubs on this machine. */
export const emulator: Command = {
  name: "emulator",
  description:
    "Runs a Device Provisioning Service and IoT hubs on this machine until SIGINT or SIGTERM. Prints one line of JSON\n" +
    "(landfall.emulator/1: ports, CA file, id scope, hubs) on standard output when it is ready. Credentials are checked as\n" +
    "the cloud checks them; it is meant for tests, and listens on 127.0.0.1 unless told otherwise.",
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
    "ws-port": { type: "string", value: "PORT", help: "MQTT over WebSocket (default: 8443; 0: any free port)" },
    directory: {
      type: "string",
      value: "DIR",
      help: "keep the certificate authority here (default: a new one each time)",
    },
  },
  async run(invocation) {
    const { options, terminal, signal, logger } = invocation;
    const log = logger();
    const ids = (options.enroll ?? []) as readonly string[];
    const running = await Emulator.start({
      log,
      ...defined({ host: textOption(options, "host"), directory: textOption(options, "directory") }),
      ...defined({ idScope: textOption(options, "id-scope"), hubs: options.hub as readonly string[] | undefined }),
      mqttPort: portOption(invocation, "mqtt-port", 8883),
      webSocketPort: portOption(invocation, "ws-port", 8443),
      enrollments: await enrollmentsFrom(textOption(options, "enrollments")),
    });
    await using _ = running;
    const enrolled = ids.map((registrationId) => {
      const enrollment = running.dps.enroll({ registrationId, attestation: { method: "symmetric_key" } });
      return { registrationId, primaryKey: enrollment.primaryKey };
    });
    const ready = { ...running.ready, ...(enrolled.length === 0 ? {} : { enrollments: enrolled }) };
    terminal.out.write(`${JSON.stringify(ready)}\n`);
    if (running.dps.enrollments.length === 0) {
      log.warn("nobody is enrolled, so every registration is refused; see --enrollments and --enroll");
    }
    await whenAborted(signal);
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
  return parseEnrollmentFile(text);
}

function portOption({ options }: Invocation, name: string, fallback: number): number {
  const text = textOption(options, name);
  if (text === undefined) return fallback;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new LandfallError("cli.usage", `emulator --${name}: expected a port from 0 to 65535, got "${text}"`);
}

/** The members that have a value. */
function defined<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;
}
