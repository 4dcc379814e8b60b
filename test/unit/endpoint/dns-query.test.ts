import { afterEach, describe, expect, test } from "vitest";
import { createDnsQuery, type DnsQueryOptions } from "../../../src/endpoint/dns-query.ts";
import type { ServerAnswer } from "../../../src/endpoint/server-answer.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { a, cname, type DnsBehaviour, type DnsReply, DnsServer, encodeReply } from "../../support/dns-server.ts";

const host = "contoso.azure-devices-provisioning.net";
const inZone = "contoso.privatelink.azure-devices-provisioning.net";
const privateAnswer: DnsReply = { answers: [cname(host, inZone), a(inZone, "10.20.0.5")] };
const publicAnswer: DnsReply = { answers: [a(host, "20.42.0.10")] };

const started: DnsServer[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close()));
});

async function serve(behaviour: DnsBehaviour, options?: { tcp?: boolean }): Promise<DnsServer> {
  const server = await DnsServer.start(behaviour, options);
  started.push(server);
  return server;
}

async function ask(server: DnsServer, options: DnsQueryOptions = {}): Promise<ServerAnswer> {
  return createDnsQuery({ clock: new FakeClock(), ...options })(server.server, { name: host, type: "A" });
}

describe("a question to one name server", () => {
  test("is answered over UDP", async () => {
    const server = await serve(() => [privateAnswer]);
    expect(await ask(server)).toEqual({
      server: `127.0.0.1:${server.server.port}`,
      type: "A",
      carrier: "udp",
      rcode: "NOERROR",
      chain: [inZone],
      terminalOwner: inZone,
      addresses: [{ address: "10.20.0.5", ttl: 60 }],
      ttl: 60,
    });
    expect(server.seen).toMatchObject([{ name: host, type: "A", carrier: "udp" }]);
  });

  test("is asked again over TCP when the answer is truncated", async () => {
    const server = await serve(({ carrier }) => [carrier === "udp" ? { truncated: true } : privateAnswer]);
    expect(await ask(server)).toMatchObject({ carrier: "tcp", addresses: [{ address: "10.20.0.5" }] });
  });

  test("keeps what a truncated answer showed when TCP is refused", async () => {
    const server = await serve(() => [{ truncated: true, answers: [cname(host, inZone)] }], { tcp: false });
    const answer = await ask(server);
    expect(answer).toMatchObject({ carrier: "udp", failure: "cut", chain: [inZone] });
    expect(answer.detail).toMatch(/^TCP: .*ECONNREFUSED/);
  });

  test("gives up on TCP after its own time", async () => {
    const clock = new FakeClock();
    const server = await serve(({ carrier }) => (carrier === "udp" ? [{ truncated: true }] : []));
    const answer = ask(server, { clock, timeoutMs: 2000, resendAfterMs: [] });
    while (!server.seen.some(({ carrier }) => carrier === "tcp")) await new Promise((turn) => setImmediate(turn));
    await clock.advance(2000);
    expect(await answer).toMatchObject({
      failure: "cut",
      detail: expect.stringContaining("nothing arrived within 2000 ms"),
    });
  });

  test("is a failure when the server says so", async () => {
    expect(await ask(await serve(() => [{ rcode: 2 }]))).toMatchObject({
      rcode: "SERVFAIL",
      failure: "server-failure",
    });
    expect(await ask(await serve(() => [{ rcode: 5 }]))).toMatchObject({ rcode: "REFUSED", failure: "refused" });
  });

  test("is sent again to a server that did not hear it, and fails after the time-out", async () => {
    const clock = new FakeClock();
    const server = await serve(() => []);
    const answer = ask(server, { clock, timeoutMs: 2000, resendAfterMs: [600, 700] });
    for (const [ms, heard] of [
      [0, 1],
      [600, 2],
      [700, 3],
    ] as const) {
      await clock.advance(ms);
      while (server.seen.length < heard) await new Promise((turn) => setImmediate(turn));
    }
    await clock.advance(700);
    expect(await answer).toMatchObject({ failure: "timeout", addresses: [] });
    expect(server.seen).toHaveLength(3);
    expect(clock.pending).toEqual([]);
  });

  test("is answered although the first packet was lost", async () => {
    const clock = new FakeClock();
    const server = await serve((_, nth) => (nth === 1 ? [] : [publicAnswer]));
    const answer = ask(server, { clock });
    while (server.seen.length < 1) await new Promise((turn) => setImmediate(turn));
    await clock.advance(600);
    expect(await answer).toMatchObject({ addresses: [{ address: "20.42.0.10" }] });
  });

  test("to a port where nobody listens is unreachable", async () => {
    const server = await serve(() => []);
    await server.close();
    started.length = 0;
    expect(await ask(server)).toMatchObject({ failure: "unreachable", detail: expect.stringMatching(/ECONNREFUSED/) });
  });

  test("ends with the caller's reason", async () => {
    const server = await serve(() => []);
    const clock = new FakeClock();
    const [before, during] = [new AbortController(), new AbortController()];
    const reason = new Error("enough");
    before.abort(reason);
    const query = createDnsQuery({ clock });
    await expect(query(server.server, { name: host, type: "A" }, { signal: before.signal })).rejects.toBe(reason);
    const pending = query(server.server, { name: host, type: "A" }, { signal: during.signal });
    while (server.seen.length < 1) await new Promise((turn) => setImmediate(turn));
    during.abort(reason);
    await expect(pending).rejects.toBe(reason);
    expect(clock.pending).toEqual([]);
  });
});

describe("a forger", () => {
  test("that does not know the id, or answers another question, is not heard", async () => {
    const forged = { answers: [cname(host, inZone), a(inZone, "10.66.0.66")] };
    const server = await serve(() => [
      { ...forged, idOffset: 1 },
      { ...forged, questions: [{ type: "A", name: "other.example.net" }] },
      { ...forged, notAResponse: true },
      { bytes: Buffer.from("nonsense") },
      publicAnswer,
    ]);
    expect(await ask(server)).toMatchObject({ chain: [], addresses: [{ address: "20.42.0.10" }] });
  });

  test("at another address or port is not heard, even with the right id", async () => {
    const server = await serve((seen, nth) => {
      if (nth === 1) {
        const bytes = encodeReply({ id: 99, questions: [seen] }, { answers: [a(host, "10.66.0.66")] });
        void DnsServer.forge(bytes, seen.from);
        return [];
      }
      return [publicAnswer];
    });
    const clock = new FakeClock();
    const answer = ask(server, { clock, nextId: () => 99 });
    while (server.seen.length < 1) await new Promise((turn) => setImmediate(turn));
    // Gives the forged datagram every chance to arrive first.
    for (let turns = 0; turns < 50; turns++) await new Promise((turn) => setImmediate(turn));
    await clock.advance(600);
    expect(await answer).toMatchObject({ addresses: [{ address: "20.42.0.10" }] });
  });

  test("cannot guess: id and source port change with every question", async () => {
    const server = await serve(() => [publicAnswer]);
    await Promise.all(Array.from({ length: 8 }, () => ask(server)));
    expect(new Set(server.seen.map(({ from }) => from.port)).size).toBe(8);
  });
});
