import { isIP } from "node:net";
import { shown } from "./fault.ts";
import type { Kind } from "./schema.ts";

const label = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const hostName = new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})*$`);
const expects = "a host name, or https:// and a host name";

/** A host name, bare or as an `https://` URL without path, as aziot writes it. Read as the name in lower case. */
export const host: Kind<string, string> = {
  expects,
  read(value, at) {
    const found = shown(value);
    if (typeof value !== "string") return at.fault({ expected: expects, found });
    const name = /^https:\/\//i.test(value) ? nameInUrl(value) : value.toLowerCase();
    if (name !== undefined && isIP(name) === 0 && hostName.test(name)) return name;
    const hint = hintFor(name ?? value);
    return at.fault({ expected: expects, found, ...(hint === undefined ? {} : { hint }) });
  },
};

/** The host of a URL that says nothing else; 443 is the port of https and is left out by the URL parser. */
function nameInUrl(value: string): string | undefined {
  if (!URL.canParse(value)) return undefined;
  const url = new URL(value);
  const { username, password, port, pathname, search, hash, hostname } = url;
  return pathname === "/" && [username, password, port, search, hash].every((part) => part === "")
    ? hostname
    : undefined;
}

function hintFor(name: string): string | undefined {
  if (isIP(name) !== 0) return "an address cannot be verified; give the name, and the address in [network] connect_to";
  return /:\d+\/?$/.test(name) ? "give another port in [network] connect_to" : undefined;
}
