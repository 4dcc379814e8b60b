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
    require("node-forge/lib/pki");
    require("node-forge/lib/md.all");
    module.exports = require("node-forge/lib/forge");`,
};

/** A module that says `text`, for what is a file of its own elsewhere. */
const saying = (name, text) => ({ contents: `export const ${name} = ${JSON.stringify(text)};`, loader: "ts" });

/** The program of a thread or process, as text. */
async function threadText(file, more = {}) {
  const { outputFiles } = await build({ ...shape, ...more, entryPoints: [file], write: false });
  return outputFiles[0].text;
}

/** What Node is started with for a process that has a serial device: the driver is found beside the single file. */
async function processWords(file) {
  const text = await threadText(file, { external: ["serialport"], supported: { "dynamic-import": false } });
  const [before, after] = [`(function(require){${text}\n})(require("node:module").createRequire(`, "))"].map((part) =>
    JSON.stringify(part),
  );
  return `["-e", ${before} + JSON.stringify(globalThis.landfallFile ?? __filename) + ${after}, "--"]`;
}

/** Has a module name the process for serial devices as that text, in the program and in its threads. */
const deviceProcess = {
  name: "device-process",
  setup({ onLoad }) {
    onLoad({ filter: /src\/serial\/ports\/device-process-program\.ts$/ }, async ({ path }) => ({
      contents: `export const deviceProcessWords = ${await processWords(path.replace("-program.ts", ".ts"))};`,
      loader: "js",
    }));
  },
};

/** The thread that signs in the MCU; a text does not know which file it came from. */
async function mcuThread(file) {
  const text = await threadText(file, { external: ["serialport"], plugins: [deviceProcess] });
  const contents = `export const mcuSigningThread = {
    text: "globalThis.landfallFile=" + JSON.stringify(__filename) + ";" + ${JSON.stringify(text)},
  };`;
  return { contents, loader: "js" };
}

/** What program and threads have in common. */
const shape = {
  bundle: true,
  platform: "node",
  // Only what is used is loaded of Node's own modules, and nothing is resolved: faster than an ES module by a good part.
  format: "cjs",
  target: "node20.12",
  minify: true,
  legalComments: "none",
  logLevel: "warning",
};

await build({
  ...shape,
  entryPoints: [`${root}src/cli/main.ts`],
  outfile,
  // A copy of Node's own streams, which the MQTT client brings for browsers.
  alias: { "readable-stream": "node:stream" },
  // Drivers are machine code: devices with an MCU on a serial device have the package beside the file.
  external: ["serialport"],
  // Beside the file, not in it: for whoever has to read a stack trace.
  sourcemap: "external",
  plugins: [
    deviceProcess,
    {
      name: "landfall",
      setup({ onLoad, onResolve }) {
        onLoad({ filter: /src\/version\.ts$/ }, () => ({ contents: `export const version = "${version}";` }));
        onResolve({ filter: new RegExp(`^(${Object.keys(parts).join("|")})$`) }, ({ path }) => ({
          path,
          namespace: "parts",
        }));
        onLoad({ filter: /./, namespace: "parts" }, ({ path }) => ({ contents: parts[path], resolveDir: root }));
        // Timers of a web worker, for browsers: the MQTT client is given ours.
        onLoad({ filter: /\/worker-timers\/.*\.js$/ }, () => ({ contents: "module.exports = {};" }));
        onLoad({ filter: /src\/keys\/tpm\/signing-thread-program\.ts$/ }, async ({ path }) =>
          saying("tpmSigningThread", { text: await threadText(path.replace("-program.ts", ".ts")) }),
        );
        onLoad({ filter: /src\/keys\/mcu\/signing-thread-program\.ts$/ }, ({ path }) =>
          mcuThread(path.replace("-program.ts", ".ts")),
        );
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
