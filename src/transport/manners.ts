import type { DpsTransportName } from "../config/settings.ts";
import type { ConnectionManner } from "../endpoint/endpoint-finder.ts";

/** How each transport connects; the choice of an endpoint depends on it. MQTT on port 8883 never goes through a proxy. */
export const manners: Readonly<Record<DpsTransportName, ConnectionManner>> = {
  mqtt: { port: 8883, proxy: "never" },
  "mqtt-ws": { port: 443, proxy: "allowed" },
  https: { port: 443, proxy: "allowed" },
};
