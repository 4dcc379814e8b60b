/**
 * Whether a connection to `host` and `port` goes direct. Each rule is one entry of a `NO_PROXY` list:
 *
 * - `*`: every host.
 * - `example.com`, `.example.com`, `*.example.com`: that name and every name under it.
 * - `10.0.0.1`, `::1`, `[::1]`: that address.
 * - any of these with `:port`: only that port (an IPv6 address needs its brackets then).
 *
 * Case and a closing dot make no difference. Address ranges are not understood.
 */
export function goesDirect(rules: readonly string[], host: string, port: number): boolean {
  const name = normalized(host);
  return rules.some((rule) => {
    const { pattern, onlyPort } = parseRule(rule);
    if (pattern === "" || (onlyPort !== undefined && onlyPort !== port)) return false;
    return pattern === "*" || name === pattern || name.endsWith(`.${pattern}`);
  });
}

function parseRule(rule: string): { readonly pattern: string; readonly onlyPort?: number } {
  const text = rule.trim();
  const withPort = /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(text);
  const pattern = normalized(withPort?.[1] ?? text).replace(/^\*?\./, "");
  return withPort ? { pattern, onlyPort: Number(withPort[2]) } : { pattern };
}

function normalized(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
}
