import { LandfallError } from "../../errors.ts";
import type { Route } from "../transport.ts";

/**
 * The host in the form that the library takes it. Throws `transport.unsupported` for a route that it cannot go: it dials
 * what it resolves itself, so that pinned addresses would be ignored in silence.
 * @param portInHost whether the library puts the host into a URL as it is, so that a port can stand behind it
 */
export function sdkHost({ host, port, addresses }: Route, transport: string, portInHost: boolean): string {
  if (addresses !== undefined && addresses.length > 0) {
    throw new LandfallError(
      "transport.unsupported",
      `${transport} resolves ${host} itself and cannot be kept to ${addresses.join(", ")}`,
    );
  }
  if (port === undefined) return host;
  if (portInHost) return `${host}:${port}`;
  throw new LandfallError("transport.unsupported", `${transport} cannot dial ${host} on port ${port}, only on its own`);
}
