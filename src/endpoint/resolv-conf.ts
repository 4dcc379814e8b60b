import { type NameServer, parseNameServer } from "./name-server.ts";

/** What a resolver configuration says (resolv.conf(5)). */
export interface ResolvConf {
  /** Every name server listed, in order, without repetitions. */
  readonly nameServers: readonly NameServer[];
  /** Search domains; landfall never applies them, but they explain surprises. */
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** Reads a resolver configuration; lines that cannot be read are passed over, as the system's resolver does. */
export function parseResolvConf(text: string): ResolvConf {
  const nameServers: NameServer[] = [];
  let search: readonly string[] = [];
  const options: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/);
    if (keyword === "nameserver") {
      const server = parseNameServer(values[0] ?? "");
      const known = nameServers.some(({ address }) => address === server?.address);
      if (server !== undefined && !known) nameServers.push(server);
    } else if (keyword === "search" || keyword === "domain") {
      search = values;
    } else if (keyword === "options") {
      options.push(...values);
    }
  }
  return { nameServers, search, options };
}

/** The file of the system's resolver. */
export const resolvConfFile = "/etc/resolv.conf";
/** Where systemd-resolved writes the servers that it asks itself. */
export const upstreamFile = "/run/systemd/resolve/resolv.conf";
/** The stub of systemd-resolved. */
const stubAddresses: readonly string[] = ["127.0.0.53", "127.0.0.54"];

/**
 * The name servers of this system, in order. Behind the stub of systemd-resolved stand the real ones, and it changes between
 * them silently when one fails; so they are listed after it and asked too. Without a resolver configuration the list is empty.
 *
 * @param readFile gives the text of a file; rejects when there is none
 */
export async function systemNameServers(readFile: (path: string) => Promise<string>): Promise<NameServer[]> {
  const listed = async (path: string): Promise<readonly NameServer[]> =>
    readFile(path).then(
      (text) => parseResolvConf(text).nameServers,
      () => [],
    );
  const servers = [...(await listed(resolvConfFile))];
  if (!servers.some(({ address }) => stubAddresses.includes(address))) return servers;
  for (const server of await listed(upstreamFile)) {
    if (!servers.some(({ address }) => address === server.address)) servers.push(server);
  }
  return servers;
}
