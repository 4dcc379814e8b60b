import { formatIp, parseIp } from "./ip-address.ts";

/** A name server to ask. */
export interface NameServer {
  /** IPv4 or IPv6 address; a link-local one with its interface. */
  readonly address: string;
  /** 1 to 65535. */
  readonly port: number;
}

/**
 * Reads `10.0.0.4`, `10.0.0.4:5353`, `fe80::1%eth0` or `[::1]:5353`. The default port is 53.
 * Returns undefined when it is none of these: a name server is given by address, since nobody could look up its name.
 */
export function parseNameServer(text: string): NameServer | undefined {
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text);
  const dotted = /^(\d[\d.]*):(\d{1,5})$/.exec(text);
  const [, address = text, digits = "53"] = bracketed ?? dotted ?? [];
  const ip = parseIp(address);
  const port = Number(digits);
  if (ip === undefined || port < 1 || port > 65535) return undefined;
  return { address: formatIp(ip), port };
}

/** The text of a name server, always with its port: `10.0.0.4:53`, `[::1]:53`. */
export function formatNameServer({ address, port }: NameServer): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
