import { normaliseHost } from "./host-name.ts";
import { formatIp, parseIp } from "./ip-address.ts";

/** One address that a hosts file gives to one name. */
export interface HostsEntry {
  /** The file, as it was named. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** In canonical text. */
  readonly address: string;
  /** In lower case, without a final dot. */
  readonly name: string;
}

/** Reads a hosts file (hosts(5)). A line whose address cannot be read says nothing, as for the system's own resolver. */
export function parseHostsFile(text: string, file: string): HostsEntry[] {
  return text.split(/\r?\n/).flatMap((content, at) => {
    const [address = "", ...names] = content.replace(/#.*$/, "").trim().split(/\s+/);
    const ip = parseIp(address);
    if (ip === undefined) return [];
    return names.map((name) => ({ file, line: at + 1, address: formatIp(ip), name: normaliseHost(name) }));
  });
}

/** The entries for exactly this host, in the order of the file. */
export function hostsEntriesFor(entries: readonly HostsEntry[], host: string): HostsEntry[] {
  return entries.filter(({ name }) => name === normaliseHost(host));
}
