import type { JsonObject } from "../json.ts";
import type { ConnackCode } from "./mqtt/packets.ts";
import type { ConnectAnswer, MqttService } from "./mqtt/service.ts";

/** A client at the door of a service. */
export interface ClientPath {
  /** The name in the TLS handshake (SNI). */
  readonly serverName: string;
  /** The ports of its connection, as the emulator sees them. */
  readonly localPort?: number | undefined;
  readonly remotePort?: number | undefined;
  /** The DPS that is meant, where it is known. */
  readonly idScope?: string | undefined;
}

/** How a service turns a client away. */
export interface PathRefusal {
  readonly http: { readonly status: number; readonly body: JsonObject };
  readonly connack: ConnackCode;
}

/** Judges clients by the path that they came by; undefined lets one in. */
export type PathGuard = (client: ClientPath) => PathRefusal | undefined;

/** A service that turns everybody away. */
export function refusingService(name: string, code: ConnackCode): MqttService {
  return {
    name,
    connect: (): ConnectAnswer => ({ code }),
    opened: (): void => {},
    subscribe: (): undefined => {},
    subscribed: (): void => {},
    unsubscribe: (): void => {},
    publish: (): undefined => {},
    closed: (): void => {},
  };
}
