import { lookup } from "node:dns/promises";
import { untilAborted } from "../../abort.ts";
import { describeCause, LandfallError } from "../../errors.ts";
import type { Route } from "../transport.ts";

/** Gives the addresses that the system has for a name, as the library will when it dials. Rejects with the resolver's error. */
export type LibraryLookup = (host: string) => Promise<readonly string[]>;

/** What this machine's resolver says, hosts file included. */
export const systemAddresses: LibraryLookup = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/**
 * The host in the form that the library takes it. Throws `transport.unsupported` for a port that it cannot dial.
 * @param portInHost whether the library puts the host into a URL as it is, so that a port can stand behind it
 */
export function sdkHost({ host, port }: Route, transport: string, portInHost: boolean): string {
  if (port === undefined) return host;
  if (portInHost) return `${host}:${port}`;
  throw new LandfallError("transport.unsupported", `${transport} cannot dial ${host} on port ${port}, only on its own`);
}

/**
 * The library dials what it resolves itself, so the addresses of a route cannot be pinned; it is let loose only while the
 * system gives it none but those. Rejects with `endpoint.unvetted-address` otherwise: another attempt gathers new evidence.
 */
export async function requireVettedAddresses(
  { host, addresses }: Route,
  transport: string,
  resolve: LibraryLookup,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  if (addresses === undefined || addresses.length === 0) return;
  const found = await untilAborted(resolve(host), signal).catch((cause: unknown) => {
    signal?.throwIfAborted();
    const message = `${transport} resolves ${host} itself, and the system has no address for it: ${describeCause(cause)}`;
    throw new LandfallError("endpoint.name-not-found", message, { cause });
  });
  const strange = found.filter((address) => !addresses.includes(address));
  if (strange.length === 0) return;
  throw new LandfallError(
    "endpoint.unvetted-address",
    `${transport} resolves ${host} itself and would dial ${strange.join(", ")}, where only ${addresses.join(", ")} may be dialled`,
  );
}
