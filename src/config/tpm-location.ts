/** Where a TPM is to be reached. */
export type TpmLocation =
  /** A character device of the kernel: `/dev/tpmrm0` (with its resource manager) or `/dev/tpm0` (without). */
  | { readonly kind: "device"; readonly path: string }
  /** The data channel of a software TPM, by TCP. */
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  /** The data channel of a software TPM, by Unix socket. */
  | { readonly kind: "unix"; readonly path: string };

/** How a {@link TpmLocation} is written; fits after "expected". */
export const tpmLocationExpects = '"device:/dev/tpmrm0", "swtpm:HOST:PORT" or "swtpm:/PATH/OF/SOCKET"';

/** The TPM that a machine has one of: the kernel's resource manager shares it between programs. */
export const defaultTpmLocation = "device:/dev/tpmrm0";

/** Reads a {@link TpmLocation}; `undefined` for a text that is none. An IPv6 address stands in brackets. */
export function parseTpmLocation(text: string): TpmLocation | undefined {
  const path = /^(device|swtpm):(\/[^\0]+)$/.exec(text);
  if (path?.[2] !== undefined) return { kind: path[1] === "device" ? "device" : "unix", path: path[2] };
  const tcp = /^swtpm:(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text);
  const host = tcp?.[1] ?? tcp?.[2];
  const port = Number(tcp?.[3]);
  return host !== undefined && port >= 1 && port <= 65_535 ? { kind: "tcp", host, port } : undefined;
}

/** A {@link TpmLocation} as it is written in the configuration. */
export function formatTpmLocation(location: TpmLocation): string {
  switch (location.kind) {
    case "device":
      return `device:${location.path}`;
    case "unix":
      return `swtpm:${location.path}`;
    case "tcp":
      return `swtpm:${location.host.includes(":") ? `[${location.host}]` : location.host}:${location.port}`;
  }
}
