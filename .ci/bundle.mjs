// Makes the program one file, for devices: no node_modules, nothing to resolve at the start. Commands for a desk, not a
// device, stay in the package: the emulator and the demo.
//
//   node .ci/bundle.mjs FILE
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const [outfile = "bundle/landfall.cjs"] = process.argv.slice(2);
const root = fileURLToPath(new URL("..", import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));

/** A command that says where it is instead, whatever it is asked. */
const elsewhere = (name) => `
  import { LandfallError } from "../errors.ts";
  export const ${name} = {
    get options() {
      throw new LandfallError("cli.usage", "${name} is not in the single file; it is in the package landfall");
    },
  };`;

/** Of packages whose front door brings along what is never used (an eighth of the whole file), the parts that are used. */
const parts = {
  // Not its ways to connect (SOCKS, web sockets of browsers): the streams are ours.
  mqtt: `exports.MqttClient = require("mqtt/lib/client").default;`,
  // PKCS#12, and not TLS, SSH …
  "node-forge": `
    require("node-forge/lib/pkcs12");
    require("node-forge/lib/md.all");
    module.exports = require("node-forge/lib/forge");`,
  // What it would print of packets has passwords in it.
  debug: `
    const silent = Object.assign(() => {}, { enabled: false, extend: () => silent });
    module.exports = Object.assign(() => silent, { default: () => silent, enabled: () => false });`,
  // What the SOCKS client asks of it, by way of our own reader of addresses.
  "ip-address": `
    import { parseIp } from "./src/endpoint/ip-address.ts";
    export class Address4 {
      constructor(text) { this.text = text; }
      toArray() { return this.text.split(".").map(Number); }
    }
    export class Address6 {
      constructor(text) { this.hex = parseIp(text).value.toString(16).padStart(32, "0"); }
      static fromByteArray(bytes) { return Object.assign(new Address6("::"), { hex: Buffer.from(bytes).toString("hex") }); }
      canonicalForm() { return this.hex.match(/.{4}/g).join(":"); }
    }`,
  // For topic aliases, which MQTT 3.1.1 does not have.
  "lru-cache": `exports.LRUCache = class { constructor() { throw new Error("topic aliases are not in this file"); } };`,
};

/** Certificates in a PKCS#12 file are taken as they stand, as those are that forge cannot read: what is in them Node tells. */
const unreadCertificates = `
  require("./forge").pki.certificateFromAsn1 = () => { throw new Error("certificates are not read by forge in this file"); };`;

/** A module that says `text`, for what is a file of its own elsewhere. */
const saying = (name, text) => ({ contents: `export const ${name} = ${JSON.stringify(text)};`, loader: "ts" });

/** The threads, each under the name that it is started with: one file is the program of all. */
const threads = {
  "tpm-signing": "./src/keys/tpm/signing-thread.ts",
  "mcu-signing": "./src/keys/mcu/signing-thread.ts",
};

/** The processes, likewise; whoever starts one talks with it, so that no command is taken for it. */
const processes = { "serial-device": "./src/serial/ports/device-process.ts" };

/** Loads each of them when it is asked for. */
const loaders = (files) =>
  Object.entries(files)
    .map(([name, file]) => `${JSON.stringify(name)}: () => require("${file}"),`)
    .join("\n  ");

/** What the file does first: it finds out whether it is the program, or one of its threads or processes. */
const entry = `#!/usr/bin/env node
const { isMainThread } = require("node:worker_threads");
const threads = {
  ${loaders(threads)}
};
const processes = {
  ${loaders(processes)}
};
const name = process.argv[2];
if (!isMainThread) threads[name]();
else if (process.send && Object.hasOwn(processes, name)) processes[name]();
else require("./src/cli/main.ts");
`;

/** The module that names a thread's file, when that is this one. */
const thisFile = (name, argument) => ({
  contents: `
    import { pathToFileURL } from "node:url";
    export const ${name} = { file: pathToFileURL(__filename), argument: "${argument}" };`,
  loader: "ts",
});

await build({
  stdin: { contents: entry, resolveDir: root, sourcefile: "landfall.ts", loader: "ts" },
  outfile,
  bundle: true,
  platform: "node",
  // Only what is used is loaded of Node's own modules, and nothing is resolved: faster than an ES module by a good part.
  format: "cjs",
  target: "node20.12",
  minify: true,
  legalComments: "none",
  logLevel: "warning",
  // A copy of Node's own streams, which the MQTT client brings for browsers.
  alias: { "readable-stream": "node:stream" },
  // Drivers are machine code: devices with an MCU on a serial device have the package beside the file.
  external: ["serialport"],
  // Beside the file, not in it: for whoever has to read a stack trace.
  sourcemap: "external",
  plugins: [
    {
      name: "landfall",
      setup({ onLoad, onResolve }) {
        onLoad({ filter: /src\/version\.ts$/ }, () => ({ contents: `export const version = "${version}";` }));
        onResolve({ filter: new RegExp(`^(${Object.keys(parts).join("|")})$`) }, ({ path }) => ({
          path,
          namespace: "parts",
        }));
        onLoad({ filter: /./, namespace: "parts" }, ({ path }) => ({
          contents: parts[path],
          resolveDir: root,
          loader: "ts",
        }));
        onLoad({ filter: /\/node-forge\/lib\/x509\.js$/ }, () => ({ contents: unreadCertificates }));
        // PEM, and primes for new keys: what a PKCS#12 file is not made of.
        onLoad({ filter: /\/node-forge\/lib\/(pem|prime)\.js$/ }, () => ({ contents: "" }));
        // The MQTT client asks it for its version.
        onLoad({ filter: /\/mqtt\/package\.json$/ }, ({ path }) => {
          const { version } = JSON.parse(readFileSync(path, "utf8"));
          return { contents: JSON.stringify({ version }), loader: "json" };
        });
        // A device is never the server of a WebSocket.
        onLoad({ filter: /\/ws\/lib\/websocket-server\.js$/ }, () => ({ contents: "module.exports = class {};" }));
        // Timers of a web worker, for browsers: the MQTT client is given ours.
        onLoad({ filter: /\/worker-timers\/.*\.js$/ }, () => ({ contents: "module.exports = {};" }));
        onLoad({ filter: /src\/keys\/mcu\/signing-thread-program\.ts$/ }, () =>
          thisFile("mcuSigningThread", "mcu-signing"),
        );
        onLoad({ filter: /src\/keys\/tpm\/signing-thread-program\.ts$/ }, () =>
          thisFile("tpmSigningThread", "tpm-signing"),
        );
        onLoad({ filter: /src\/serial\/ports\/device-process-program\.ts$/ }, () => ({
          contents: `export const deviceProcessWords = [__filename, "serial-device"];`,
          loader: "js",
        }));
        onLoad({ filter: /src\/keys\/engine\/engine-text\.ts$/ }, () =>
          saying("engineText", readFileSync(`${root}native/landfall-engine.c`, "utf8")),
        );
        onLoad({ filter: /src\/cli\/(emulator|demo)\.ts$/ }, ({ path }) => {
          const contents = elsewhere(/(\w+)\.ts$/.exec(path)[1]);
          return { contents, loader: "ts", resolveDir: `${root}src/cli` };
        });
      },
    },
  ],
});
