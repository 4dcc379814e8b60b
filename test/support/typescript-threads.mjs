// Lets a worker thread begin with a TypeScript file, as Node does by itself from version 22.18 on.
import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";

if (!process.features.typescript && !isMainThread) register(import.meta.url);

/** Hook of the module loader. */
export async function load(url, context, nextLoad) {
  if (!url.endsWith(".ts")) return nextLoad(url, context);
  const { transform } = await import("esbuild");
  const { code } = await transform(await readFile(fileURLToPath(url), "utf8"), { loader: "ts", target: "node20" });
  return { format: "module", source: code, shortCircuit: true };
}
