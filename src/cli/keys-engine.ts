import { resolve } from "node:path";
import { buildEngine } from "../keys/engine/build-engine.ts";
import { engineFolderToFill } from "../keys/engine/landfall-engine.ts";
import { type ExitCode, type Invocation, type OptionSpec, textOption } from "./command.ts";

/** The options of `landfall keys engine` beside `--json`. */
export const engineOptions = {
  directory: {
    type: "string",
    value: "DIR",
    help: "engine: where to put it; the agent needs it in LANDFALL_ENGINES then (default: where the agent looks)",
  },
} as const satisfies Record<string, OptionSpec>;

/** `landfall keys engine`: builds the engine and prints its path. */
export async function printBuiltEngine({ options, env, terminal, signal }: Invocation): Promise<ExitCode> {
  const directory = textOption(options, "directory");
  const folder =
    directory === undefined ? engineFolderToFill({ env, userId: process.getuid?.() ?? 0 }) : resolve(directory);
  const file = await buildEngine({ folder, signal });
  const result = { schema: "landfall.key-engine/1", file };
  terminal.out.write(options.json === true ? `${JSON.stringify(result)}\n` : `${file}\n`);
  return 0;
}
