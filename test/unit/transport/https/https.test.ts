import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../../src/clock.ts";
import { Secret } from "../../../../src/secret.ts";
import { FakeClock } from "../../../../src/testing/fake-clock.ts";
import { HttpsDps } from "../../../../src/transport/https/https-dps.ts";
import { exchangeHttps } from "../../../../src/transport/https/https-exchange.ts";
import { type HttpsAnswer, type HttpsPeer, startHttpsPeer } from "../../../support/https-peer.ts";

const host = "contoso.azure-devices-provisioning.net";

/** One peer for all tests, since a dialer takes its time to be made. */
let peer: HttpsPeer;
let answer: HttpsAnswer;
beforeAll(async () => {
  peer = await startHttpsPeer([host], () => answer);
});
afterAll(() => peer[Symbol.asyncDispose]());
afterEach(async () => {
  peer.seen.length = 0;
  await peer.idle();
});
const get = { method: "GET", path: "/" } as const;

describe("one request over HTTPS", () => {
  test("goes out with its host name, and brings the whole answer and the path taken", async () => {
    answer = { status: 418, headers: { "x-a": "b" }, body: "tea" };
    const response = await exchangeHttps({ dialer: peer.dialer, clock: systemClock }, { host }, get);
    expect(response).toMatchObject({ status: 418, body: "tea", path: { remoteAddress: "127.0.0.1" } });
    expect(response.headers["x-a"]).toBe("b");
    expect(peer.seen).toMatchObject([{ method: "GET", url: "/", headers: { host, connection: "close" } }]);
  });

  test.each<[string, HttpsAnswer, string]>([
    ["closes instead of answering", "hang-up", "transport.closed"],
    [
      "closes in the middle of its answer",
      { bytes: "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc" },
      "transport.closed",
    ],
    ["does not speak HTTP", { bytes: "220 smtp.example ESMTP\r\n" }, "transport.protocol"],
    ["sends without end", { status: 200, body: "x".repeat(262_145) }, "transport.protocol"],
  ])("to a peer that %s rejects, and leaves no connection", async (_, given, code) => {
    answer = given;
    const asked = exchangeHttps({ dialer: peer.dialer, clock: systemClock }, { host }, get);
    await expect(asked).rejects.toMatchObject({ code });
  });

  test("to a peer that says nothing ends with the time allowed", async () => {
    const clock = new FakeClock();
    answer = "silence";
    const asked = exchangeHttps({ dialer: peer.dialer, clock, requestTimeoutMs: 9000 }, { host }, get);
    const ended = expect(asked).rejects.toMatchObject({ code: "transport.timeout" });
    await clock.sleeping();
    await clock.advance(9000);
    await ended;
  });

  test("ends with the caller's reason", async () => {
    answer = "silence";
    const stop = new AbortController();
    const asked = exchangeHttps({ dialer: peer.dialer, clock: new FakeClock() }, { host }, get, stop);
    const reason = new Error("enough");
    stop.abort(reason);
    await expect(asked).rejects.toBe(reason);
  });
});

describe("a look-up at DPS", () => {
  const identity = { idScope: "0ne00AB12CD", registrationId: "sensor:17" };

  test("carries a token for the registration in a header, and the id in path and body", async () => {
    answer = { status: 200, body: "{}" };
    const wanted: unknown[] = [];
    const credential = {
      kind: "sas",
      token: async (request: { expiresAtMs: number }) => {
        wanted.push(request);
        return { text: new Secret("SharedAccessSignature sr=x"), expiresAtMs: request.expiresAtMs };
      },
    } as const;
    const clock = new FakeClock();
    await new HttpsDps({ dialer: peer.dialer, clock }).lookUp({ host }, { ...identity, credential });
    expect(wanted).toEqual([
      {
        resource: "0ne00AB12CD/registrations/sensor:17",
        keyName: "registration",
        expiresAtMs: clock.now() + 3_600_000,
      },
    ]);
    expect(peer.seen).toMatchObject([
      {
        method: "POST",
        url: "/0ne00AB12CD/registrations/sensor%3A17?api-version=2021-06-01",
        headers: { authorization: "SharedAccessSignature sr=x", "content-type": "application/json" },
        body: '{"registrationId":"sensor:17"}',
      },
    ]);
  });

  test("without a token shows no header for one", async () => {
    answer = { status: 401, body: "{}" };
    await new HttpsDps({ dialer: peer.dialer, clock: systemClock }).lookUp({ host }, identity);
    expect(peer.seen[0]?.headers).not.toHaveProperty("authorization");
  });

  test.each([
    [{ "retry-after": "3" }, { retryAfterMs: 3000 }],
    [{ "retry-after": "0" }, { retryAfterMs: 1000 }],
    [{ "retry-after": "99999" }, { retryAfterMs: 3_600_000 }],
    [{ "retry-after": "soon" }, {}],
    [{ "x-ms-error-code": "401002" }, { errorCode: "401002" }],
    [{ "x-ms-error-code": "<script>" }, {}],
    [{ date: "Sun, 01 Mar 2026 12:00:00 GMT" }, { dateMs: Date.UTC(2026, 2, 1, 12) }],
    [{ date: "yesterday" }, {}],
  ])("reads the headers %j", async (headers, expected) => {
    const body = '{"errorCode":429001}';
    answer = { status: 429, headers, body };
    const given = await new HttpsDps({ dialer: peer.dialer, clock: systemClock }).lookUp({ host }, identity);
    const { dateMs, ...rest } = given;
    expect("date" in headers ? given : rest).toEqual({ status: 429, body, ...expected });
  });
});
