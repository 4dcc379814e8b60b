import { LandfallError } from "../../errors.ts";
import { Secret } from "../../secret.ts";

/** Where an outside broker is, and who the emulator is there. */
export interface BrokerAddress {
  /** `mqtt` is MQTT without TLS. */
  readonly protocol: "mqtts" | "mqtt";
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: Secret;
  /** The URL without user and password, for messages. */
  readonly text: string;
}

const defaultPorts = { mqtts: 8883, mqtt: 1883 } as const;
const loopbackHosts = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Reads `mqtts://[user[:password]@]host[:port]`; without a port it is 8883. `mqtt:` (1883) is for brokers of this machine.
 * Throws `emulator.rejected` for anything else. No message repeats what was given: it may hold a password.
 */
export function parseBrokerUrl(text: string): BrokerAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const protocol = url?.protocol.slice(0, -1);
  if (url === undefined || (protocol !== "mqtts" && protocol !== "mqtt") || url.hostname === "") {
    throw rejected("expected mqtts://[user[:password]@]host[:port]");
  }
  if ((url.pathname !== "" && url.pathname !== "/") || url.search !== "" || url.hash !== "") {
    throw rejected("expected nothing behind host and port");
  }
  if (protocol === "mqtt" && !loopbackHosts.includes(url.hostname.toLowerCase())) {
    throw rejected(`expected mqtts: for ${url.hostname}; mqtt: is for brokers of this machine`);
  }
  const port = url.port === "" ? defaultPorts[protocol] : Number(url.port);
  if (port === 0) throw rejected("expected a port from 1 to 65535, found 0");
  return {
    protocol,
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port,
    ...(url.username === "" ? {} : { username: decoded(url.username) }),
    ...(url.password === "" ? {} : { password: new Secret(decoded(url.password)) }),
    text: `${protocol}://${url.hostname}:${port}`,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw rejected("user and password have to be percent-encoded");
  }
}

function rejected(what: string): LandfallError {
  return new LandfallError("emulator.rejected", `The broker's URL is not usable: ${what}.`);
}
