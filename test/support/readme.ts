import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** One fenced block of the README. */
export interface ReadmeBlock {
  /** What follows the fence: `toml`, `js`, `sh`. */
  readonly language: string;
  readonly text: string;
}

/** The blocks of the README, or of another page by its path in the project, in order. */
export function readmeBlocks(page = "README.md"): readonly ReadmeBlock[] {
  const readme = readFileSync(fileURLToPath(new URL(`../../${page}`, import.meta.url)), "utf8");
  return [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = "", text = ""]) => ({
    language,
    text,
  }));
}

/** The commands of a block for a shell, without comments. */
export function commandsOf({ text }: ReadmeBlock): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/\s+#.*$/, "").trim())
    .filter((line) => line !== "");
}
