import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const manifest = createRequire(import.meta.url).resolve("landfall/package.json");

/** The engine, as C. */
export const engineText: string = readFileSync(join(dirname(manifest), "native", "landfall-engine.c"), "utf8");
