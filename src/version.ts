import { createRequire } from "node:module";

/** The version of this package, as in its package.json. */
export const version: string = (createRequire(import.meta.url)("landfall/package.json") as { version: string }).version;
