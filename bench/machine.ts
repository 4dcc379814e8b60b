import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";

/** The machine in a line, without a name that would tell whose it is. */
export function machineLine(): string {
  const processors = cpus();
  const gigabytes = Math.round(totalmem() / 1024 ** 3);
  const [, system = process.platform] = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8")) ?? [];
  const model = processors[0]?.model.trim() ?? "unknown processor";
  return `${processors.length} × ${model}, ${gigabytes} GiB, ${system}, ${process.arch}, Node ${process.versions.node}`;
}
