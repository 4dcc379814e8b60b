import { Secret } from "../secret.ts";
import type { Parsed } from "./file-reference.ts";

/** What a proxy looks like; fits after "expected". */
export const proxyExpects = "a proxy as http://, https://, socks5:// or socks5h:// with host and port";

const schemes = ["http:", "https:", "socks5:", "socks5h:"];

/**
 * Reads the address of a proxy, with or without credentials. Like curl, an address without scheme is taken for `http://`.
 * The result has its scheme. A problem shows the scheme at most: the rest may hold credentials.
 */
export function parseProxyAddress(text: string): Parsed<Secret> {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text.trim()) ? text.trim() : `http://${text.trim()}`;
  const problem = (found: string) => ({ problem: { expected: proxyExpects, found } });
  if (!URL.canParse(address)) return problem(`a text of ${text.length} characters that is no address`);
  const { protocol, hostname, pathname, search, hash, username, password } = new URL(address);
  if (!schemes.includes(protocol)) return problem(`a ${protocol}// address`);
  if (hostname === "") return problem("an address without a host");
  if (!isPercentEncoded(username) || !isPercentEncoded(password))
    return problem("credentials that are not percent-encoded");
  const isBare = ["", "/"].includes(pathname) && search === "" && hash === "";
  return isBare ? { value: new Secret(address) } : problem("an address with a path");
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether the address of a proxy holds a user name or password. */
export function hasCredentials(text: string): boolean {
  return text.includes("@");
}

/** The address of a proxy for people: scheme, host and port. */
export function proxyWithoutCredentials(proxy: Secret): string {
  const { protocol, host } = new URL(proxy.reveal());
  return `${protocol}//${host}`;
}
