import { spawnSync } from "node:child_process";

/**
 * Makes the system forget what it has read of these files, so that whoever opens one reads it from the disk. Needs no
 * rights beyond reading them. Returns whether that has happened: not every file system and container lets it.
 */
export function dropFromPageCache(files: readonly string[]): boolean {
  const list = files.join("\0");
  // What is not yet on the disk cannot be forgotten.
  const written = spawnSync("xargs", ["-0", "sync", "--data"], { input: list });
  const dropped = spawnSync("xargs", ["-0", "-I{}", "dd", "if={}", "iflag=nocache", "count=0", "status=none"], {
    input: list,
  });
  return written.status === 0 && dropped.status === 0 && residentBytes(list) === 0;
}

/** How much of some files is held in memory; not a number where that cannot be told. */
function residentBytes(list: string): number {
  const options = ["--bytes", "--noheadings", "--output", "RES"];
  const { status, stdout } = spawnSync("xargs", ["-0", "fincore", ...options], { input: list, encoding: "utf8" });
  if (status !== 0) return Number.NaN;
  return stdout
    .trim()
    .split("\n")
    .reduce((sum, bytes) => sum + Number(bytes), 0);
}
