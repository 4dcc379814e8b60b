import { extname } from "node:path";
import { fileURLToPath } from "node:url";

/** What Node is started with for a process that has a serial device; path and speed follow. */
export const deviceProcessWords: readonly string[] = [
  fileURLToPath(new URL(`./device-process${extname(import.meta.url)}`, import.meta.url)),
];
