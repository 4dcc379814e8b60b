/** One line of a hosts file. */
export interface HostsEntry {
  readonly address: string;
  readonly names: readonly string[];
}

/** The text of a hosts file with these entries behind the usual ones of this machine. */
export function renderHostsFile(entries: readonly HostsEntry[]): string {
  const usual: readonly HostsEntry[] = [
    { address: "127.0.0.1", names: ["localhost"] },
    { address: "::1", names: ["localhost", "ip6-localhost"] },
  ];
  return [...usual, ...entries].map(({ address, names }) => `${address}\t${names.join(" ")}\n`).join("");
}
