import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The engine's C text. */
export async function engineSource(): Promise<string> {
  const manifest = createRequire(import.meta.url).resolve("landfall/package.json");
  return readFile(join(dirname(manifest), "native", "landfall-engine.c"), "utf8");
}
