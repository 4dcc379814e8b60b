// Compiles the bench, since Node 20 does not read TypeScript, and runs it.
import { build } from "esbuild";

const outfile = "bench/out/main.mjs";
await build({
  entryPoints: ["bench/main.ts"],
  outfile,
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20.12",
  logLevel: "warning",
});
await import(new URL(`../${outfile}`, import.meta.url).href);
