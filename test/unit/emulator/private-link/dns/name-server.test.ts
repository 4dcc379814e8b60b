import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import type { DnsReply } from "../../../../../src/emulator/private-link/dns/message.ts";
import { type DnsResponder, NameServer } from "../../../../../src/emulator/private-link/dns/name-server.ts";
import {
  type DnsTreatment,
  dnsTreatments,
  forgedAddress,
  treat,
} from "../../../../../src/emulator/private-link/dns/treatment.ts";
import { FakeClock } from "../../../../../src/testing/fake-clock.ts";
import { askTcp, UdpClient, udpError } from "./dns-client.ts";

const name = "mydps.azure-devices-provisioning.net";
const alias = "mydps.privatelink.azure-devices-provisioning.net";
const reply: DnsReply = {
  code: "NOERROR",
  answers: [
    { name, type: "CNAME", data: alias, ttl: 60 },
    { name: alias, type: "A", data: "10.20.0.5", ttl: 10 },
  ],
};
const treating =
  (treatment: DnsTreatment): DnsResponder =>
  (question, carrier) =>
    treat(treatment, reply, question, carrier);

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

async function serve(responder: DnsResponder = treating("honest")) {
  const server = await NameServer.open(responder);
  const client = new UdpClient(server.address);
  open.push(client, server);
  return { server, client };
}

const addresses = (response: { answers?: { type: string; data?: unknown }[] | undefined } | undefined) =>
  response?.answers?.filter(({ type }) => type === "A").map(({ data }) => data);

describe("a name server", () => {
  test("answers over UDP and TCP on one port", async () => {
    const { server, client } = await serve();
    expect(addresses(await client.ask(name, "A"))).toEqual(["10.20.0.5"]);
    expect(addresses(await askTcp(server.address, name, "A"))).toEqual(["10.20.0.5"]);
  });

  test("serves the platform's own resolver", async () => {
    const { server } = await serve();
    const resolver = new Resolver();
    resolver.setServers([server.address]);
    expect(await resolver.resolve4(name)).toEqual(["10.20.0.5"]);
    expect(await resolver.resolveCname(name)).toEqual([alias]);
  });

  test("keeps a record of its queries", async () => {
    const clock = new FakeClock();
    const server = await NameServer.open(treating("refused"), { clock });
    const client = new UdpClient(server.address);
    open.push(client, server);
    await client.ask(name.toUpperCase(), "AAAA");
    await askTcp(server.address, name, "A");
    expect(server.queries).toEqual([
      { atMs: clock.now(), carrier: "udp", name, type: "AAAA", codes: ["REFUSED"] },
      { atMs: clock.now(), carrier: "tcp", name, type: "A", codes: ["REFUSED"] },
    ]);
  });

  test("answers in another way from one query to the next", async () => {
    const { server, client } = await serve();
    expect((await client.ask(name, "A")).rcode).toBe("NOERROR");
    server.respondWith(treating("servfail"));
    expect((await client.ask(name, "A")).rcode).toBe("SERVFAIL");
  });

  test("takes several queries on one TCP connection, also in pieces", async () => {
    const { server } = await serve();
    const socket = connect({ host: "127.0.0.1", port: server.port });
    open.push({ close: () => socket.destroy() });
    const frame = Buffer.from(`001c${"0007010000010000000000000161076578616d706c6500"}00010001`, "hex");
    frame.writeUInt16BE(frame.length - 2, 0);
    const both = Buffer.concat([frame, frame]);
    await once(socket, "connect");
    socket.write(both.subarray(0, 5));
    await new Promise((resolve) => setImmediate(resolve));
    socket.write(both.subarray(5));
    let received = 0;
    for await (const chunk of socket) {
      received += (chunk as Buffer).length;
      if (server.queries.length === 2 && received > 100) break;
    }
    expect(server.queries.map((query) => query.name)).toEqual(["a.example", "a.example"]);
  });

  test("sends what does not fit into a datagram over TCP", async () => {
    const { server, client } = await serve(treating("endless-chain"));
    const short = await client.ask(name, "A");
    expect([short.flag_tc, short.answers]).toEqual([true, []]);
    expect((await askTcp(server.address, name, "A"))?.answers).toHaveLength(41);
  });

  test("can refuse TCP alone, and everything, and comes back on its port", async () => {
    const { server, client } = await serve();
    await server.reach("udp-only");
    expect(await askTcp(server.address, name, "A")).toBeUndefined();
    expect((await client.ask(name, "A")).rcode).toBe("NOERROR");
    // Below those that the system hands out, so that it is still free when the server comes back.
    expect(server.port).toBeLessThan(32_768);
    await server.reach("nothing");
    expect(await udpError(server.address)).toBe("ECONNREFUSED");
    await server.reach("udp-and-tcp");
    expect((await client.ask(name, "A")).rcode).toBe("NOERROR");
    expect((await askTcp(server.address, name, "A"))?.rcode).toBe("NOERROR");
  });

  test("closes TCP connections with itself, twice without harm", async () => {
    const { server } = await serve();
    const socket = connect({ host: "127.0.0.1", port: server.port });
    await once(socket, "connect");
    const closed = once(socket, "close");
    socket.on("error", () => {});
    await server.close();
    await server.close();
    await closed;
  });

  test("says so when it cannot come back on its port", async () => {
    const { server } = await serve();
    await server.reach("nothing");
    const other = createServer().listen({ host: "127.0.0.1", port: server.port });
    await once(other, "listening");
    open.push(other);
    await expect(server.reach("udp-and-tcp")).rejects.toMatchObject({ code: "emulator.listen-failed" });
  });
});

describe("a name server that treats its replies", () => {
  const first = async (treatment: DnsTreatment, type = "A") => {
    const { server, client } = await serve(treating(treatment));
    return { server, client, response: await client.ask(name, type) };
  };

  test.each([
    ["servfail", "SERVFAIL"],
    ["refused", "REFUSED"],
  ] as const)("as %s sends that code and no record", async (treatment, rcode) => {
    const { response } = await first(treatment);
    expect([response.rcode, response.answers]).toEqual([rcode, []]);
  });

  test("as silent answers nothing, by UDP or TCP, and the query is on record", async () => {
    const { server, client } = await serve((question, carrier) =>
      treat(question.name === name ? "silent" : "honest", reply, question, carrier),
    );
    void client.askRaw(name, "A");
    // The server answers in order, so that the second answer shows that the first query had none.
    await client.ask("other.example", "A");
    expect(server.queries.map(({ codes }) => codes)).toEqual([[], ["NOERROR"]]);
    expect(client.strays).toEqual([]);
  });

  test("as truncated leaves the addresses to TCP", async () => {
    const { server, response } = await first("truncated");
    expect([response.flag_tc, addresses(response), response.answers?.length]).toEqual([true, [], 1]);
    expect(addresses(await askTcp(server.address, name, "A"))).toEqual(["10.20.0.5"]);
  });

  test("as cut has no TCP for them", async () => {
    const { server, response } = await first("cut");
    expect(response.flag_tc).toBe(true);
    expect(await askTcp(server.address, name, "A")).toBeUndefined();
    expect(server.queries.map(({ carrier }) => carrier)).toEqual(["udp", "tcp"]);
  });

  test("as rebind protection takes private addresses out and gives no authority", async () => {
    const { response } = await first("strip-private");
    expect([response.rcode, response.answers?.map(({ type }) => type), response.authorities]).toEqual([
      "NOERROR",
      ["CNAME"],
      [],
    ]);
  });

  test("as rebind protection leaves public addresses alone", async () => {
    const mixed = {
      ...reply,
      answers: [...reply.answers, { name: alias, type: "A" as const, data: "20.42.0.10", ttl: 10 }],
    };
    const { client } = await serve((question, carrier) => treat("strip-private", mixed, question, carrier));
    expect(addresses(await client.ask(name, "A"))).toEqual(["20.42.0.10"]);
  });

  test("as a loop leads back to the question", async () => {
    const { response } = await first("loop");
    expect(response.answers?.map((each) => ("data" in each ? each.data : ""))).toEqual(["a.loop.example", name]);
  });

  test("as off-chain adds a private address that the question does not lead to", async () => {
    const { response } = await first("off-chain");
    expect(addresses(response)).toEqual([forgedAddress, "10.20.0.5"]);
    const owner = response.answers?.find((each) => "data" in each && each.data === forgedAddress)?.name;
    expect(response.answers?.some((each) => each.name === name && "data" in each && each.data === owner)).toBe(false);
  });

  test.each(["wrong-id-first", "wrong-question-first", "not-a-response-first", "wrong-source-first"] as const)(
    "as %s sends a forgery, then the truth",
    async (treatment) => {
      const { client, response, server } = await first(treatment);
      expect(addresses(response)).toEqual(["10.20.0.5"]);
      expect(client.strays).toHaveLength(1);
      expect(client.strays[0]?.includes(Buffer.from([10, 66, 6, 6]))).toBe(true);
      expect(addresses(await askTcp(server.address, name, "A"))).toEqual(["10.20.0.5"]);
    },
  );

  test("as malformed sends a message that breaks off", async () => {
    const { client } = await serve(treating("malformed"));
    const bytes = await client.askRaw(name, "A");
    expect(bytes.readUInt16BE(6)).toBeGreaterThan(2);
  });
});

describe("a name server under fire", () => {
  test("answers after any datagrams and TCP streams, whatever it does with its replies", async () => {
    let treatment: DnsTreatment = "honest";
    const { server, client } = await serve((question, carrier) => {
      return treat(question.name === "probe.example" ? "honest" : treatment, reply, question, carrier);
    });
    const query = Buffer.from("0007010000010000000000000161076578616d706c650000010001", "hex");
    const mangled = fc
      .tuple(fc.array(fc.tuple(fc.nat(query.length - 1), fc.nat(255)), { maxLength: 6 }), fc.nat(query.length))
      .map(([edits, length]) => {
        const bytes = Buffer.from(query);
        for (const [at, value] of edits) bytes[at] = value;
        return bytes.subarray(0, length);
      });
    const message = fc.oneof(
      mangled,
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
    );
    const framed = fc.tuple(message, fc.option(fc.nat(0xffff), { nil: undefined })).map(([bytes, length]) => {
      const prefix = Buffer.alloc(2);
      prefix.writeUInt16BE(length ?? bytes.length);
      return Buffer.concat([prefix, bytes]);
    });
    const attack = fc.record({
      datagrams: fc.array(message, { maxLength: 5 }),
      stream: fc.array(framed, { maxLength: 3 }),
      treatment: fc.constantFrom(...dnsTreatments),
    });
    await fc.assert(
      fc.asyncProperty(attack, async ({ datagrams, stream, treatment: chosen }) => {
        treatment = chosen;
        for (const bytes of datagrams) client.send(bytes);
        const socket = connect({ host: "127.0.0.1", port: server.port });
        socket.on("error", () => {});
        await once(socket, "connect");
        socket.resume().end(Buffer.concat(stream));
        expect((await client.ask("probe.example", "A")).rcode).toBe("NOERROR");
        expect((await askTcp(server.address, "probe.example", "A"))?.rcode).toBe("NOERROR");
        socket.destroy();
      }),
      { numRuns: 60 },
    );
  });
});
