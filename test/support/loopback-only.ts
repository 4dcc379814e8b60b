import net from "node:net";

/** Makes every dial to anything but this machine's loopback throw, so that no test can reach out by mistake. */
const connect = net.Socket.prototype.connect;

function destination(args: unknown[]): string | undefined {
  const first = Array.isArray(args[0]) ? (args[0] as unknown[])[0] : args[0];
  if (typeof first === "object" && first !== null) {
    const { host, path } = first as { host?: string; path?: string };
    return path === undefined ? (host ?? "localhost") : undefined;
  }
  if (typeof first === "string" && !/^\d+$/.test(first)) return undefined;
  return typeof args[1] === "string" ? args[1] : "localhost";
}

net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]): net.Socket {
  const host = destination(args);
  if (host !== undefined && !/^(localhost|127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/.test(host)) {
    throw new Error(`a test dialled ${host}; only loopback is allowed`);
  }
  return (connect as (...all: unknown[]) => net.Socket).apply(this, args);
} as typeof connect;
