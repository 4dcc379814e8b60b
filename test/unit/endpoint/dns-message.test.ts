import { type Answer, decode, encode, TRUNCATED_RESPONSE } from "dns-packet";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeQuery, longestChain, readResponse } from "../../../src/endpoint/dns-message.ts";
import { a, aaaa, cname, type DnsReply, encodeReply, soa } from "../../support/dns-server.ts";

const host = "contoso.azure-devices-provisioning.net";
const inZone = "contoso.privatelink.azure-devices-provisioning.net";
const question = { name: host, type: "A" } as const;
const id = 4711;

const read = (reply: DnsReply) =>
  readResponse(encodeReply({ id, questions: [{ type: "A", name: host }] }, reply), id, question);

describe("a query", () => {
  test("asks for one name with recursion, in lower case and without search domains", () => {
    const query = decode(encodeQuery(7, { name: "Contoso.Azure-Devices-Provisioning.NET.", type: "AAAA" }));
    expect(query).toMatchObject({ id: 7, type: "query", flag_rd: true });
    expect(query.questions).toEqual([{ type: "AAAA", name: host, class: "IN" }]);
  });
});

describe("a response", () => {
  test("gives chain, owner, addresses and the smallest TTL", () => {
    const answers = [cname(host, inZone, 300), a(inZone, "10.20.0.5", 10), a(inZone, "10.20.0.6", 20)];
    expect(read({ answers })).toEqual({
      rcode: "NOERROR",
      chain: [inZone],
      terminalOwner: inZone,
      addresses: [
        { address: "10.20.0.5", ttl: 10 },
        { address: "10.20.0.6", ttl: 20 },
      ],
      ttl: 10,
    });
  });

  test("keeps the chain when the name at its end does not exist", () => {
    const authorities = [soa("privatelink.azure-devices-provisioning.net", "azureprivatedns.net")];
    expect(read({ rcode: 3, answers: [cname(host, inZone)], authorities })).toMatchObject({
      rcode: "NXDOMAIN",
      chain: [inZone],
      addresses: [],
      soa: { zone: "privatelink.azure-devices-provisioning.net", primary: "azureprivatedns.net" },
    });
  });

  test("compares names without regard to case and order", () => {
    const answers = [a(inZone.toUpperCase(), "10.20.0.5"), cname(host.toUpperCase(), inZone.toUpperCase())];
    expect(read({ answers })).toMatchObject({ terminalOwner: inZone, addresses: [{ address: "10.20.0.5" }] });
  });

  test("does not take the authority of a zone that is not on the way", () => {
    expect(read({ rcode: 3, authorities: [soa("example.org", "azureprivatedns.net")] })).not.toHaveProperty("soa");
    expect(read({ rcode: 3, authorities: [soa(".", "a.root-servers.net")] })).toHaveProperty("soa");
  });

  test.each([
    [2, "SERVFAIL", "server-failure"],
    [5, "REFUSED", "refused"],
    [1, "FORMERR", "server-failure"],
    [9, "RCODE9", "server-failure"],
  ])("with code %i is %s: a failure without addresses", (rcode, name, fault) => {
    expect(read({ rcode, answers: [cname(host, inZone), a(inZone, "10.20.0.5")] })).toMatchObject({
      rcode: name,
      fault,
      chain: [inZone],
      addresses: [],
    });
  });

  test("that is truncated is cut", () => {
    expect(read({ truncated: true, answers: [cname(host, inZone)] })).toMatchObject({ fault: "cut", chain: [inZone] });
  });

  test("that fails may leave the question out, one that answers may not", () => {
    expect(read({ rcode: 1, questions: [] })).toMatchObject({ fault: "server-failure" });
    expect(read({ rcode: 0, questions: [], answers: [a(host, "20.42.0.10")] })).toBeUndefined();
    expect(read({ rcode: 3, questions: [] })).toBeUndefined();
  });
});

describe("a chain of aliases", () => {
  const hop = (at: number): string => `hop${at}.example.net`;
  const chainOf = (hops: number): Answer[] => [
    cname(host, hop(1)),
    ...Array.from({ length: hops - 1 }, (_, at) => cname(hop(at + 1), hop(at + 2))),
    a(hop(hops), "20.42.0.10"),
  ];

  test("is followed up to its longest length", () => {
    expect(read({ answers: chainOf(longestChain) })?.addresses).toHaveLength(1);
    expect(read({ answers: chainOf(longestChain + 1) })).toMatchObject({
      fault: "chain-too-long",
      chain: [],
      addresses: [],
    });
  });

  test.each([
    ["itself", [cname(host, host)]],
    ["its start", [cname(host, inZone), cname(inZone, host), a(inZone, "10.20.0.5")]],
    ["its middle", [cname(host, hop(1)), cname(hop(1), inZone), cname(inZone, hop(1)), a(inZone, "10.20.0.5")]],
  ])("that leads back to %s is no evidence", (_, answers) => {
    expect(read({ answers })).toMatchObject({ fault: "loop", chain: [], addresses: [] });
  });

  test("is escaped where a name is not plain ASCII: it resembles nothing and steers no terminal", () => {
    const odd = "\u001b[31mcontoso.private\u212aink.azure-devices.net";
    const answers = [cname(host, odd), a(odd.toLowerCase(), "10.20.0.5"), a(odd, "20.42.0.10")];
    expect(read({ answers })).toMatchObject({
      terminalOwner: "\\u{1b}[31mcontoso.private\\u{212a}ink.azure-devices.net",
      addresses: [{ address: "20.42.0.10" }],
    });
  });

  test("that forks is no evidence", () => {
    expect(read({ answers: [cname(host, hop(1)), cname(host, inZone), a(inZone, "10.20.0.5")] })).toMatchObject({
      fault: "malformed",
      chain: [],
      addresses: [],
    });
  });
});

describe("what does not answer the question", () => {
  const answers = [cname(host, inZone), a(inZone, "10.20.0.5")];

  test.each<[string, DnsReply]>([
    ["another id", { idOffset: 1, answers }],
    ["a query, not a response", { notAResponse: true, answers }],
    ["another name", { questions: [{ type: "A", name: "other.example.net" }], answers }],
    ["another type", { questions: [{ type: "AAAA", name: host }], answers }],
    ["another class", { questions: [{ type: "A", name: host, class: "CH" }], answers }],
    [
      "two questions",
      {
        questions: [
          { type: "A", name: host },
          { type: "A", name: host },
        ],
        answers,
      },
    ],
  ])("is ignored: %s", (_, reply) => {
    expect(read(reply)).toBeUndefined();
  });

  test("is ignored: another operation", () => {
    const bytes = encodeReply({ id, questions: [{ type: "A", name: host }] }, { answers });
    bytes.writeUInt16BE(bytes.readUInt16BE(2) | (4 << 11), 2);
    expect(readResponse(bytes, id, question)).toBeUndefined();
  });

  test("is dropped from an answer: records that are not on the way, or of another kind", () => {
    const elsewhere = fc.constantFrom(
      "evil.example.net",
      "privatelink.example.net",
      `x.${host}`,
      inZone,
      "azure-devices-provisioning.net",
    );
    const stray = fc.oneof(
      fc.tuple(elsewhere, fc.ipV4()).map(([name, data]) => a(name, data)),
      fc.tuple(elsewhere, fc.ipV4()).map(([name, data]) => aaaa(name, `64:ff9b::${data}`)),
      fc.tuple(elsewhere, elsewhere).map(([name, data]) => cname(name, data)),
      fc.ipV4().map((data) => aaaa(host, `::ffff:${data}`)),
      fc.ipV4().map((data): Answer => ({ type: "A", name: host, data, ttl: 1, class: "CH" })),
    );
    const plain = read({ answers: [a(host, "20.42.0.10")] });
    fc.assert(
      fc.property(fc.array(stray, { maxLength: 5 }), fc.array(stray, { maxLength: 5 }), (before, after) => {
        expect(read({ answers: [...before, a(host, "20.42.0.10"), ...after] })).toEqual(plain);
      }),
    );
  });
});

describe("bytes from anywhere", () => {
  test("never make the reader throw, and never become evidence", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const response = readResponse(bytes, id, question);
        expect(response?.addresses ?? []).toEqual([]);
      }),
    );
  });

  test("never make the reader throw, not even behind a right header", () => {
    const head = encode({ type: "response", id, questions: [{ type: "A", name: host }] });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat({ max: 3 }), (tail, count) => {
        const bytes = Buffer.concat([head, tail]);
        bytes.writeUInt16BE(count, 6);
        expect(readResponse(bytes, id, question)?.rcode).toBe("NOERROR");
      }),
    );
  });

  test("that break off are malformed", () => {
    const whole = encode({
      type: "response",
      id,
      flags: TRUNCATED_RESPONSE,
      questions: [{ type: "A", name: host }],
      answers: [cname(host, inZone), a(inZone, "10.20.0.5")],
    });
    for (let length = 12; length < whole.length; length++) {
      expect(readResponse(whole.subarray(0, length), id, question)).toMatchObject({
        fault: "malformed",
        addresses: [],
      });
    }
  });
});
