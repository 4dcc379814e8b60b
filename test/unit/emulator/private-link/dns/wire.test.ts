import { decode } from "dns-packet";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeCode, encodeDelivery, readQuery } from "../../../../../src/emulator/private-link/dns/wire.ts";
import { decoded, queryBytes } from "./dns-client.ts";

const header = (flags: number, questions = 1): Buffer => {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16BE(7, 0);
  bytes.writeUInt16BE(flags, 2);
  bytes.writeUInt16BE(questions, 4);
  return bytes;
};

describe("reading a query", () => {
  test("takes the name without its case, and keeps the spelling for the answer", () => {
    const arrived = readQuery(queryBytes("MyDps.Azure-Devices-Provisioning.NET", "A", 7));
    expect(arrived).toEqual({
      kind: "query",
      query: {
        id: 7,
        recursionDesired: true,
        spelling: "MyDps.Azure-Devices-Provisioning.NET",
        question: { name: "mydps.azure-devices-provisioning.net", type: "A" },
      },
    });
  });

  test("does not look at what stands behind the question", () => {
    const query = Buffer.concat([queryBytes("mydps.example", "A", 7), Buffer.from("garbage")]);
    query.writeUInt16BE(0xffff, 10);
    expect(readQuery(query)).toMatchObject({ kind: "query", query: { question: { name: "mydps.example" } } });
  });

  test.each<[string, Buffer, unknown]>([
    ["a response", header(0x8000), { kind: "nothing" }],
    ["less than a header", Buffer.alloc(11), { kind: "nothing" }],
    ["another operation than a query", header(0x2800), { kind: "unusable", id: 7, code: "NOTIMP" }],
    ["no question", header(0, 0), { kind: "unusable", id: 7, code: "FORMERR" }],
    ["two questions", header(0, 2), { kind: "unusable", id: 7, code: "FORMERR" }],
    ["a question that breaks off", header(0, 1), { kind: "unusable", id: 7, code: "FORMERR" }],
    [
      "a name that is not ASCII",
      Buffer.concat([header(0), Buffer.from([2, 0xc3, 0xa4, 0, 0, 1, 0, 1])]),
      { kind: "unusable", id: 7, code: "FORMERR" },
    ],
    [
      "a name with an empty label inside a label",
      Buffer.concat([header(0), Buffer.from([3, 0x61, 0x2e, 0x2e, 0, 0, 1, 0, 1])]),
      { kind: "unusable", id: 7, code: "FORMERR" },
    ],
    [
      "another class than the internet",
      Buffer.concat([header(0), Buffer.from([1, 0x61, 0, 0, 1, 0, 3])]),
      { kind: "unusable", id: 7, code: "REFUSED" },
    ],
  ])("turns %s down", (_what, bytes, expected) => {
    expect(readQuery(bytes)).toEqual(expected);
  });

  test("never throws, and whatever it takes for a query can be answered", () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.tuple(fc.uint8Array({ maxLength: 60 }), fc.nat(0x7fff)).map(([tail, flags]) => {
        return new Uint8Array(Buffer.concat([header(flags & 0x87ff), tail]));
      }),
    );
    fc.assert(
      fc.property(anything, (bytes) => {
        const arrived = readQuery(bytes);
        if (arrived.kind === "unusable") expect(decode(encodeCode(arrived.id, arrived.code)).id).toBe(arrived.id);
        if (arrived.kind !== "query") return;
        const reply = { code: "NOERROR" as const, answers: [], authority: { zone: "", primary: "ns.example" } };
        expect(decode(encodeDelivery(arrived.query, { reply })).id).toBe(arrived.query.id);
      }),
      { numRuns: 500 },
    );
  });
});

describe("writing an answer", () => {
  const query = { id: 7, recursionDesired: true, spelling: "A.Example", question: { name: "a.example", type: "A" } };
  const reply = {
    code: "NOERROR" as const,
    answers: [{ name: "a.example", type: "A" as const, data: "10.20.0.5", ttl: 10 }],
  };

  test("gives id, question letter for letter, records, and recursion available", () => {
    expect(decoded(encodeDelivery(query, { reply }))).toMatchObject({
      id: 7,
      rcode: "NOERROR",
      flag_qr: true,
      flag_rd: true,
      flag_ra: true,
      flag_tc: false,
      questions: [{ name: "A.Example", type: "A", class: "IN" }],
      answers: [{ name: "a.example", type: "A", data: "10.20.0.5", ttl: 10 }],
    });
  });

  test("names the authority as Azure's private zones do", () => {
    const authority = { zone: "privatelink.example", primary: "azureprivatedns.net" };
    const bytes = encodeDelivery(query, { reply: { code: "NXDOMAIN", answers: [], authority } });
    expect(decoded(bytes)).toMatchObject({
      rcode: "NXDOMAIN",
      authorities: [
        {
          type: "SOA",
          name: "privatelink.example",
          data: { mname: "azureprivatedns.net", rname: "azureprivatedns-host.microsoft.com" },
        },
      ],
    });
  });

  test("can forge the id, the question and the QR bit, and break off", () => {
    expect(decoded(encodeDelivery(query, { reply, forged: "id" })).id).not.toBe(7);
    expect(decoded(encodeDelivery(query, { reply, forged: "question" })).questions?.[0]?.name).toBe("other.A.Example");
    expect(decoded(encodeDelivery(query, { reply, forged: "not-a-response" })).flag_qr).toBe(false);
    expect(() => decode(encodeDelivery(query, { reply, forged: "malformed" }))).toThrow();
  });
});
