import { basename, dirname } from "node:path";
import { build } from "vite";

/**
 * Compiles one source file, and all that it imports by path, into one module that a process of its own can run:
 * Node 20 does not read TypeScript.
 */
export async function compile(entry: string, output: string): Promise<void> {
  await build({
    configFile: false,
    logLevel: "error",
    build: {
      ssr: entry,
      outDir: dirname(output),
      emptyOutDir: false,
      rollupOptions: { output: { entryFileNames: basename(output) } },
    },
  });
}
