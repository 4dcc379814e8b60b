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

/** A command that says where it is instead. */
const elsewhere = (name) => `
  import { LandfallError } from "../errors.ts";
  export const ${name} = {
    name: "${name}", description: "Not in this build.", options: {},
    run: async () => { throw new LandfallError("cli.usage", "${name} is not in the single file; it is in the package landfall"); },
  };`;

await build({
  entryPoints: [`${root}src/cli/main.ts`],
  outfile,
  bundle: true,
  platform: "node",
  // Only what is used is loaded of Node's own modules, and nothing is resolved: faster than an ES module by a good part.
  format: "cjs",
  target: "node20.12",
  minify: true,
  // A copy of Node's own streams, which the MQTT client brings for browsers.
  alias: { "readable-stream": "node:stream" },
  legalComments: "none",
  // Drivers are machine code: devices with an MCU on a serial device have the package beside the file.
  external: ["serialport"],
  // Beside the file, not in it: for whoever has to read a stack trace.
  sourcemap: "external",
  logLevel: "warning",
  plugins: [
    {
      name: "landfall",
      setup({ onLoad }) {
        onLoad({ filter: /src\/version\.ts$/ }, () => ({ contents: `export const version = "${version}";` }));
        onLoad({ filter: /src\/cli\/(emulator|demo)\.ts$/ }, ({ path }) => {
          const contents = elsewhere(/(\w+)\.ts$/.exec(path)[1]);
          return { contents, loader: "ts", resolveDir: `${root}src/cli` };
        });
      },
    },
  ],
});
