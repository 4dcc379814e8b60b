import type { ConnectToRule } from "../endpoint/connect-to.ts";

/** What a rule looks like; fits after "expected". */
export const connectToForm = "host:port:host:port, where each part may be empty and IPv6 addresses stand in brackets";

const host = String.raw`(\[[0-9a-fA-F:.]+\]|[^\s:[\]/@]*)`;
const port = String.raw`(\d{0,5})`;
const rule = new RegExp(`^${host}:${port}:${host}:${port}$`);

/**
 * Parses one rule in the form of curl's `--connect-to`. On the left an empty host or port matches any; on the right it
 * keeps the original. Brackets of IPv6 addresses are taken off. `undefined` for anything else.
 */
export function parseConnectTo(text: string): ConnectToRule | undefined {
  const [match, fromHost, fromPort, toHost, toPort] = rule.exec(text) ?? [];
  if (match === undefined || ![fromPort, toPort].every(isPortOrEmpty)) return undefined;
  return {
    ...(fromHost ? { fromHost: withoutBrackets(fromHost) } : {}),
    ...(fromPort ? { fromPort: Number(fromPort) } : {}),
    ...(toHost ? { toHost: withoutBrackets(toHost) } : {}),
    ...(toPort ? { toPort: Number(toPort) } : {}),
    text,
  };
}

function isPortOrEmpty(text: string | undefined): boolean {
  return text === "" || (Number(text) >= 1 && Number(text) <= 65_535);
}

function withoutBrackets(text: string): string {
  return text.startsWith("[") ? text.slice(1, -1) : text;
}
