import { isIP } from "node:net";

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** A name in the form in which names are compared: lower case, without the final dot. */
export function normaliseHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, "");
}

/**
 * Whether `host` is something a resolver would take for an address rather than for a name: IPv4 and IPv6 in any
 * spelling, the numeric and hexadecimal short forms of `inet_aton` included ("127.1", "0x7f000001").
 */
export function isAddressLike(host: string): boolean {
  const bare = normaliseHost(host).replace(/^\[|\]$/g, "");
  const last = bare.split(".").at(-1) ?? "";
  return isIP(bare) !== 0 || bare.includes(":") || /^(\d+|0x[0-9a-f]*)$/.test(last);
}

/** Whether `host` is a DNS host name in ASCII (RFC 1123): up to 253 characters, labels of letters, digits and hyphens. */
export function isHostName(host: string): boolean {
  const name = normaliseHost(host);
  return (
    name.length > 0 && name.length <= 253 && !isAddressLike(name) && name.split(".").every((part) => label.test(part))
  );
}

/** Whether `name` lies in `zone`, at least one label below it; both in normal form. */
export function isBelow(name: string, zone: string): boolean {
  return name.length > zone.length + 1 && name.endsWith(zone) && name[name.length - zone.length - 1] === ".";
}

/** Whether a label of `name` is `privatelink`: the mark that Azure puts into the name of a resource with a private endpoint. */
export function isPrivatelinkName(name: string): boolean {
  return normaliseHost(name).split(".").includes("privatelink");
}

/** Where a record of a private endpoint lives. */
export interface PrivatelinkRecord {
  /** The private DNS zone, such as `privatelink.azure-devices-provisioning.net`. */
  readonly zone: string;
  /** The record's name inside the zone; `@` for the zone itself. */
  readonly record: string;
}

/** Splits a privatelink name into zone and record. The zone is read off the name: Azure's zone names are not all derivable. */
export function privatelinkRecord(name: string): PrivatelinkRecord | undefined {
  const labels = normaliseHost(name).split(".");
  const at = labels.indexOf("privatelink");
  if (at < 0) return undefined;
  return { zone: labels.slice(at).join("."), record: labels.slice(0, at).join(".") || "@" };
}
