import { LandfallError } from "../errors.ts";
import { parseDpsUsername } from "./dps/dps-username.ts";
import type { Hub } from "./hub/hub.ts";
import { hubDomain, hubHostNames } from "./hub/hub-names.ts";
import { parseHubUsername } from "./hub/hub-username.ts";

const dpsDomain = "azure-devices-provisioning.net";

/** The name that all of DPS share. */
export const globalDpsHost = `global.${dpsDomain}`;

/** The name of the store that devices upload files to; the name of a storage account may have lower-case letters only. */
export const blobHost = "landfallemulator.blob.core.windows.net";

/** The hubs' names if each can be a host name and none comes twice. Throws `emulator.rejected` otherwise. */
export function checkHubNames(names: readonly string[]): readonly string[] {
  const wrong = names.find((name) => !/^[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?$/i.test(name));
  if (wrong !== undefined)
    throw new LandfallError("emulator.rejected", `${JSON.stringify(wrong)} cannot be a host name.`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new LandfallError("emulator.rejected", `Two hubs are called ${twice}.`);
  return names;
}

/** Names and addresses for the emulator's one server certificate. */
export function certificateNames(hubs: readonly string[], host: string): readonly string[] {
  const own = hubs.flatMap(hubHostNames);
  const names = [globalDpsHost, `*.${dpsDomain}`, `*.${hubDomain}`, ...own, blobHost, "localhost", "127.0.0.1", "::1"];
  return [...new Set(/^(0\.0\.0\.0|::)$/.test(host) ? names : [...names, host])];
}

/** Where a connection leads. */
export type Destination = { readonly service: "dps" } | { readonly service: "hub"; readonly hub: Hub };

/**
 * Finds the service that a client wants: by the name it asked for in the TLS handshake; where that is no name of Azure's,
 * by the user name of its CONNECT. A client that was pointed at localhost is led to the hub that has its device.
 */
export function destinationOf(
  serverName: string | undefined,
  username: string,
  hubs: readonly Hub[],
): Destination | undefined {
  const named = serverName === undefined ? undefined : destinationOfHost(serverName, hubs);
  if (named !== undefined) return named;
  if (parseDpsUsername(username) !== undefined) return { service: "dps" };
  const claim = parseHubUsername(username);
  if (claim === undefined) return undefined;
  const hub = hubOf(claim.host, hubs) ?? holderOf(claim.deviceId, hubs);
  return hub === undefined ? undefined : { service: "hub", hub };
}

/** The service by a name of Azure's; `undefined` when the name is none of these. */
export function destinationOfHost(host: string, hubs: readonly Hub[]): Destination | undefined {
  if (host.toLowerCase().endsWith(`.${dpsDomain}`)) return { service: "dps" };
  const hub = hubOf(host, hubs);
  return hub === undefined ? undefined : { service: "hub", hub };
}

/** The hub that has a device; the first one when none has. */
export function holderOf(deviceId: string, hubs: readonly Hub[]): Hub | undefined {
  return hubs.find((hub) => hub.registry.get(deviceId) !== undefined) ?? hubs[0];
}

function hubOf(host: string, hubs: readonly Hub[]): Hub | undefined {
  const wanted = host.toLowerCase();
  return hubs.find(({ name }) => hubHostNames(name).some((each) => each.toLowerCase() === wanted));
}
