import type { Caller } from "../caller.ts";

/** What is known of a client before it has said a word of MQTT. */
export interface Peer extends Caller {
  readonly transport: "mqtt" | "mqtt-ws";
}
