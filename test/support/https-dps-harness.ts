import { systemClock } from "../../src/clock.ts";
import { Sightings } from "../../src/testing/sightings.ts";
import { HttpsDpsTransport } from "../../src/transport/https/https-dps-transport.ts";
import type { DpsRequest, DpsResponse } from "../../src/transport/transport.ts";
import type { DpsHarness } from "../contract/dps-transport.ts";
import { type SeenRequest, startHttpsPeer } from "./https-peer.ts";
import { testCredential } from "./test-dialer.ts";

const host = "peer.test";

/** A scripted DPS over HTTPS, with our transport in front of it. */
export async function startHttpsDpsHarness(): Promise<DpsHarness> {
  const reactions: (DpsResponse | "silence" | "break")[] = [];
  const requests = new Sightings<DpsRequest>();
  const peer = await startHttpsPeer([host], () => {
    const seen = peer.seen.at(-1);
    const request = seen && requestIn(seen);
    if (request) requests.add(request);
    const reaction = reactions.shift() ?? "silence";
    if (reaction === "silence") return "silence";
    if (reaction === "break") return "hang-up";
    const { status, retryAfterMs, body } = reaction;
    const headers = retryAfterMs === undefined ? {} : { "retry-after": String(retryAfterMs / 1000) };
    return { status, headers, body };
  });
  return {
    transport: new HttpsDpsTransport({ dialer: peer.dialer, clock: systemClock }),
    route: { host },
    identity: { idScope: "0ne00ABCDEF", registrationId: "sensor-17", credential: testCredential },
    next: (reaction) => void reactions.push(reaction),
    refuseNext: () => {
      throw new Error("nobody is refused at connect over HTTPS");
    },
    requested: (count) => requests.nth(count),
    idle: () => peer.idle(),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

function requestIn({ method, url, body }: SeenRequest): DpsRequest | undefined {
  const path = "/0ne00ABCDEF/registrations/sensor-17";
  const query = "?api-version=2021-06-01";
  if (method === "PUT" && url === `${path}/register${query}`) return { kind: "register", body: JSON.parse(body) };
  const operationId = new RegExp(`^${path}/operations/([^/?]+)\\${query}$`).exec(url)?.[1];
  return method === "GET" && operationId !== undefined ? { kind: "status", operationId } : undefined;
}
