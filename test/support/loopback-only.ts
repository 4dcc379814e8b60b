import dgram from "node:dgram";
import dns from "node:dns";
import net from "node:net";

/*
 * Makes everything that would leave this machine throw: TCP and Unix sockets elsewhere, datagrams, and the system's
 * resolver, which asks name servers on its own. No test can reach out by mistake.
 */

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;

function requireLoopback(what: string, host: string | undefined): void {
  if (host !== undefined && !loopback.test(host)) throw new Error(`a test ${what} ${host}; only loopback is allowed`);
}

/** The host of a `connect` call; undefined for a Unix socket. */
function destination(args: unknown[]): string | undefined {
  const first = Array.isArray(args[0]) ? (args[0] as unknown[])[0] : args[0];
  if (typeof first === "object" && first !== null) {
    const { host, path } = first as { host?: string; path?: string };
    return path === undefined ? (host ?? "localhost") : undefined;
  }
  if (typeof first === "string" && !/^\d+$/.test(first)) return undefined;
  return typeof args[1] === "string" ? args[1] : "localhost";
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/** Puts a check before a method. */
function guard(owner: object, method: string, check: (args: unknown[]) => void): void {
  const methods = owner as Record<string, AnyFunction>;
  const original = methods[method] as AnyFunction;
  methods[method] = function (this: unknown, ...args: unknown[]) {
    check(args);
    return original.apply(this, args);
  };
}

guard(net.Socket.prototype, "connect", (args) => requireLoopback("dialled", destination(args)));
// send(message, [offset, length,] [port,] [address,] [callback]): an address is the only text after the message.
guard(dgram.Socket.prototype, "send", ([, ...rest]) =>
  requireLoopback("sent a datagram to", rest.find((arg) => typeof arg === "string") as string | undefined),
);
guard(dgram.Socket.prototype, "connect", ([, address]) =>
  requireLoopback("connected datagrams to", typeof address === "string" ? address : undefined),
);
// Looking up an address asks nobody; binding a socket does it.
for (const resolver of [dns, dns.promises]) {
  guard(resolver, "lookup", ([host]) => {
    if (net.isIP(String(host)) === 0) requireLoopback("looked up", String(host).replace(/\.$/, ""));
  });
}
