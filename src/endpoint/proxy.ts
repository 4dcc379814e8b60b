import { LandfallError } from "../errors.ts";
import { Secret } from "../secret.ts";
import { shown } from "./dial-error.ts";

const defaultPorts = { http: 80, https: 443, socks5: 1080, socks5h: 1080 } as const;

/** A proxy server. The credentials stay out of {@link ProxyServer.name}. */
export interface ProxyServer {
  /** `socks5h` lets the proxy resolve names; `socks5` resolves them here. */
  readonly protocol: keyof typeof defaultPorts;
  readonly host: string;
  readonly port: number;
  readonly credentials?: { readonly user: string; readonly password: Secret };
  /** The proxy without its credentials, for messages and logs. */
  readonly name: string;
}

/**
 * Reads a proxy's URL: `http://`, `https://`, `socks5://` or `socks5h://`, credentials percent-encoded before the host.
 * Throws `endpoint.proxy-failed` for anything else; the message does not repeat the text, which may hold a password.
 */
export function parseProxy(text: Secret): ProxyServer {
  let url: URL;
  let user: string;
  let password: string;
  try {
    url = new URL(text.reveal());
    user = decodeURIComponent(url.username);
    password = decodeURIComponent(url.password);
  } catch {
    throw new LandfallError("endpoint.proxy-failed", "the proxy setting is not a URL such as http://proxy:3128");
  }
  const protocol = url.protocol.slice(0, -1) as keyof typeof defaultPorts;
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (!Object.hasOwn(defaultPorts, protocol) || host === "") {
    const expected = Object.keys(defaultPorts).join(", ");
    throw new LandfallError("endpoint.proxy-failed", `expected a proxy URL with a host and one of ${expected}`);
  }
  const port = url.port === "" ? defaultPorts[protocol] : Number(url.port);
  return {
    protocol,
    host,
    port,
    name: `${protocol}://${shown(host, port)}`,
    ...(user === "" && password === "" ? {} : { credentials: { user, password: new Secret(password) } }),
  };
}

/** Whether names are resolved by the proxy rather than here. */
export function resolvesNames(proxy: ProxyServer): boolean {
  return proxy.protocol !== "socks5";
}
