/** The domain that all hubs of the public cloud share. */
export const hubDomain = "azure-devices.net";

/** The host name of a hub; a name with a dot is one already. */
export function hubHostName(name: string): string {
  return name.includes(".") ? name : `${name}.${hubDomain}`;
}

/** Every host name of a hub: its own, and the one under which IoT Hub speaks TLS 1.3. */
export function hubHostNames(name: string): readonly string[] {
  return name.includes(".") ? [name] : [hubHostName(name), `${name}.device.${hubDomain}`];
}

/** Whether a device that calls its hub `host` means another one than the hub of this name. */
export function isAnotherHub(name: string, host: string): boolean {
  const asked = host.replace(/:\d+$/, "").toLowerCase();
  return asked.endsWith(`.${hubDomain}`) && !hubHostNames(name).some((each) => each.toLowerCase() === asked);
}
