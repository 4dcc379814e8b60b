import { execFileSync } from "node:child_process";

/** The files that Node reads when it loads some CommonJS packages. */
export function loadedFiles(packages: readonly string[]): readonly string[] {
  const program =
    "process.argv.slice(1).forEach((name) => require(name)); console.log(Object.keys(require.cache).join('\\0'))";
  return execFileSync(process.execPath, ["-e", program, ...packages], { encoding: "utf8" })
    .trim()
    .split("\0");
}
