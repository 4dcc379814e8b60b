/** Where a port is. */
export type PortAddress =
  | { readonly kind: "device"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** What most boards come up with, bits per second. */
export const usualBaudRate = 115_200;

/** What {@link parsePortAddress} takes, for messages. */
export const portAddressForm = "the path of a serial device, tcp://HOST:PORT or unix:PATH";

/** Reads the address of a port; undefined when it is none. */
export function parsePortAddress(text: string): PortAddress | undefined {
  if (text === "" || text.includes("\0")) return undefined;
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length);
    return path === "" ? undefined : { kind: "unix", path };
  }
  if (!text.startsWith("tcp:")) return { kind: "device", path: text };
  const found = /^tcp:\/\/(?:\[([0-9a-fA-F:.]+)\]|([^:/?#[\]@\s]+)):(\d{1,5})$/.exec(text);
  const [host, port] = [found?.[1] ?? found?.[2], Number(found?.[3])];
  return host === undefined || port < 1 || port > 65_535 ? undefined : { kind: "tcp", host, port };
}
