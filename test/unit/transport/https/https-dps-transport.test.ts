import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Secret } from "../../../../src/secret.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import { HttpsDpsTransport } from "../../../../src/transport/https/https-dps-transport.ts";
import type { DpsIdentity } from "../../../../src/transport/transport.ts";
import { type HttpsPeer, startHttpsPeer } from "../../../support/https-peer.ts";

const host = "contoso.azure-devices-provisioning.net";
const clock = new FakeClock();

let peer: HttpsPeer;
beforeAll(async () => {
  peer = await startHttpsPeer([host], () => ({ status: 202, headers: { "retry-after": "3" }, body: "{}" }));
});
afterAll(() => peer[Symbol.asyncDispose]());
beforeEach(() => {
  peer.seen.length = 0;
});

describe("the DPS transport https", () => {
  test("asks for one token and shows it with every request of a channel", async () => {
    const asked: unknown[] = [];
    const identity: DpsIdentity = {
      idScope: "0ne00AB12CD",
      registrationId: "sensor 17",
      credential: {
        kind: "sas",
        token: async (request) => {
          asked.push(request);
          return { text: new Secret(`SharedAccessSignature number ${asked.length}`), expiresAtMs: request.expiresAtMs };
        },
      },
    };
    const transport = new HttpsDpsTransport({ dialer: peer.dialer, clock, tokenLifetimeMs: 60_000, clientName: "a/1" });
    await using channel = await transport.connect({ host }, identity);
    await channel.request({ kind: "register", body: { registrationId: "sensor 17" } });
    await channel.request({ kind: "status", operationId: "4.x:y" });
    const headers = {
      authorization: "SharedAccessSignature number 1",
      "user-agent": "a/1",
      accept: "application/json",
    };
    const path = "/0ne00AB12CD/registrations/sensor%2017";
    expect(peer.seen).toMatchObject([
      { method: "PUT", url: `${path}/register?api-version=2021-06-01`, headers },
      { method: "GET", url: `${path}/operations/4.x%3Ay?api-version=2021-06-01`, headers, body: "" },
    ]);
    const resource = "0ne00AB12CD/registrations/sensor 17";
    expect(asked).toEqual([{ resource, keyName: "registration", expiresAtMs: clock.now() + 60_000 }]);
  });

  test("makes the first request of a TPM without credential", async () => {
    const transport = new HttpsDpsTransport({ dialer: peer.dialer, clock });
    await using channel = await transport.connect({ host }, { idScope: "s", registrationId: "r" });
    await channel.request({ kind: "register", body: { tpm: {} } });
    expect(peer.seen[0]?.headers).not.toHaveProperty("authorization");
  });
});
