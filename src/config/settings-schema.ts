import { parseNameServer } from "../endpoint/name-server.ts";
import { logLevels } from "../log.ts";
import { parsePortAddress, portAddressForm, usualBaudRate } from "../port-address.ts";
import { connectToForm, parseConnectTo } from "./connect-to.ts";
import { file, path } from "./file-kind.ts";
import { host } from "./host-kind.ts";
import { choice, duration, integer, list, parsed, text } from "./kinds.ts";
import { provisioning, transport } from "./provisioning-schema.ts";
import { hasCredentials, parseProxyAddress, proxyExpects } from "./proxy-address.ts";
import { defaulting, type Inputs, optional, required, type Values } from "./schema.ts";
import { secret } from "./secret-source.ts";
import { systemStateDirectory } from "./state-directory.ts";

/** The hosts file of the system's own resolver. */
export const systemHostsFile = "/etc/hosts";

const nameServerForm = "an address, or address:port (IPv6 in brackets)";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const trustBundle = file({
  isPrivate: false,
  check: (content) =>
    content.includes("-----BEGIN CERTIFICATE-----")
      ? { value: undefined }
      : { problem: { expected: "a file with certificates in PEM form", found: "no certificate" } },
});

const hub = {
  node: "table",
  need: "default",
  doc: "The session with the IoT hub.",
  entries: {
    transport: defaulting(
      transport,
      "mqtt",
      "How to reach the hub: MQTT on port 8883, or MQTT over WebSocket on port 443, which proxies can carry.",
    ),
    model_id: optional(
      text(
        'a model id such as "dtmi:com:example:Thermostat;1"',
        /^(?=.{1,128}$)dtmi:[A-Za-z](?:\w*[A-Za-z0-9])?(?::[A-Za-z](?:\w*[A-Za-z0-9])?)*;[1-9][0-9]{0,8}(?:\.[1-9][0-9]{0,5})?$/,
      ),
      "dtmi:com:example:Thermostat;1",
      "Plug and Play model of the device, announced to DPS and to the hub.",
    ),
    keep_alive: defaulting(
      duration({ leastMs: 10 * second, mostMs: 1177 * second, wholeSeconds: true }),
      "4m",
      "MQTT keep-alive. The hub takes a device for gone after one and a half times as long.",
    ),
    token_lifetime: defaulting(
      duration({ leastMs: minute, mostMs: 365 * day }),
      "1h",
      "Life of a shared access signature token; it is renewed ahead of its end, by a new connection.",
    ),
    telemetry_window: defaulting(
      integer(1, 1000, "messages"),
      32,
      "Telemetry messages that may wait for the hub's acknowledgement at one time.",
    ),
  },
} as const;

const network = {
  node: "table",
  need: "default",
  doc: "How connections are made. Nothing here turns verification off.",
  entries: {
    trust_bundle: optional(
      trustBundle,
      "/etc/landfall/extra-ca.pem",
      "PEM file of certification authorities that are trusted beside the system's own.",
    ),
    connect_to: defaulting(
      list(parsed(connectToForm, parseConnectTo)),
      [],
      "Where to dial instead, as host:port:host:port with the original on the left; the original name is verified. " +
        "The first rule that matches applies. An empty part matches anything, or keeps the original.",
    ),
    name_servers: optional(
      list(parsed(nameServerForm, parseNameServer), 1),
      ["10.0.0.4"],
      "Name servers that take the place of the system's resolver, for every look-up of the agent.",
    ),
    hosts_file: optional(path, systemHostsFile, `Hosts file. Left out, it is ${systemHostsFile}.`),
    proxy: optional(
      secret({ expects: proxyExpects, parse: parseProxyAddress, isSensitive: hasCredentials }),
      "http://proxy.example:3128",
      "Proxy for WebSocket connections, credentials included. Left out, the environment decides: https_proxy, " +
        "HTTPS_PROXY, all_proxy, ALL_PROXY.",
    ),
    no_proxy: optional(
      list(text("a host name, .suffix or address, each with :port or without, or *", /^[^\s,/@]+$/)),
      [".azure-devices.net"],
      "Hosts that are reached without the proxy. Left out, the environment decides: no_proxy, NO_PROXY.",
    ),
  },
} as const;

const doctor = {
  node: "table",
  need: "default",
  doc: "Further services that `landfall doctor` looks at: their names, addresses and ports. The agent has no use for them.",
  entries: {
    event_hubs: optional(
      host,
      "iothub-ns-my-hub-12345-0123456789.servicebus.windows.net",
      "Host of the hub's built-in Event Hubs-compatible endpoint, from which back ends read.",
    ),
    device_update: optional(host, "my-account.api.adu.microsoft.com", "Host of a Device Update account."),
    digital_twins: optional(
      host,
      "my-instance.api.weu.digitaltwins.azure.net",
      "Host of an Azure Digital Twins instance.",
    ),
  },
} as const;

const methods = {
  node: "named-tables",
  need: "default",
  doc: "A direct method that runs a command on the device. No shell is involved.",
  names: {
    // The method reprovision is the agent's own.
    pattern: /^(?!reprovision$)[^\s/#+?\p{Cc}]{1,128}$/u,
    expects: "a method name of 1 to 128 characters without white space and / # + ?, and not reprovision",
    sample: "restart-app",
  },
  entries: {
    command: required(
      list(text("a text without NUL", /^[^\0]*$/), 1),
      ["/usr/bin/systemctl", "restart", "my-app"],
      "Program and arguments.",
    ),
    timeout: defaulting(duration({ leastMs: second, mostMs: hour }), "30s", "After this time the command is killed."),
    max_output: defaulting(
      integer(0, 131_072, "bytes"),
      65_536,
      "How much of the command's output is kept for the answer; the rest is cut.",
    ),
  },
} as const;

/** The whole configuration: every table, every setting, its kind, default and meaning. */
export const settingsSchema = {
  node: "table",
  need: "required",
  doc: "The configuration of landfall.",
  entries: {
    trust_bundle_cert: optional(
      trustBundle,
      "file:///etc/landfall/extra-ca.pem",
      "The name that IoT Edge has for trust_bundle of [network]; give one of the two.",
    ),
    provisioning,
    hub,
    network,
    telemetry: {
      node: "table",
      need: "default",
      doc: "What the agent says by itself: uptime, load, memory and, where there is one, CPU temperature.",
      entries: {
        interval: defaulting(
          duration({ leastMs: second, mostMs: day, zeroMeans: "off" }),
          "1m",
          "Time between two of these messages.",
        ),
      },
    },
    methods,
    mcu: {
      node: "table",
      need: "default",
      doc: "The microcontroller on a serial port.",
      entries: {
        port: optional(
          parsed(portAddressForm, (address) => (parsePortAddress(address) === undefined ? undefined : address)),
          "/dev/serial/by-id/usb-my-board",
          "Where it is: the path of a serial device, tcp://HOST:PORT or unix:PATH. Left out, there is none. Names below " +
            "/dev/serial/by-id stay the same when a device is plugged again.",
        ),
        baud_rate: defaulting(
          integer(300, 4_000_000, "baud"),
          usualBaudRate,
          "Bits per second of a serial device, the same as in the firmware.",
        ),
      },
    },
    doctor,
    state: {
      node: "table",
      need: "default",
      doc: "What the agent remembers from one start to the next.",
      entries: {
        directory: optional(
          path,
          systemStateDirectory,
          `Directory of the stored assignment. Left out, it is ${systemStateDirectory} for root, else landfall below ` +
            "$XDG_STATE_HOME, else ~/.local/state/landfall.",
        ),
      },
    },
    log: {
      node: "table",
      need: "default",
      doc: "What the agent reports of its work.",
      entries: { level: defaulting(choice(logLevels), "info", "Least severity that is written.") },
    },
  },
} as const;

/** A configuration as a program writes it: the shape and the names of the TOML file. */
export type Configuration = Inputs<typeof settingsSchema.entries>;

/** What validation makes of a {@link Configuration}: defaults filled in, files still to be read. */
export type Draft = Values<typeof settingsSchema.entries>;
