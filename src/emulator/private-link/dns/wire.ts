import {
  type Answer,
  decode,
  encode,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  type RecordType,
  TRUNCATED_RESPONSE,
} from "dns-packet";
import { canonicalName, type DnsQuestion, type DnsReply, type ResponseCode } from "./message.ts";
import type { Delivery } from "./treatment.ts";
import { privateZonePrimary } from "./zone.ts";

/** A query as it came. */
export interface DnsQuery {
  readonly id: number;
  readonly recursionDesired: boolean;
  /** The name as the client spelt it; it gets it back letter for letter. */
  readonly spelling: string;
  readonly question: DnsQuestion;
}

/**
 * What arrived: a query; `unusable`, which is answered with a code alone; or nothing that is answered at all, such as a response,
 * for two servers that answered each other's answers would never end.
 */
export type Arrived =
  | { readonly kind: "query"; readonly query: DnsQuery }
  | { readonly kind: "unusable"; readonly id: number; readonly code: ResponseCode }
  | { readonly kind: "nothing" };

const headerBytes = 12;
const responseCodes: readonly ResponseCode[] = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];

/** Reads what came from a client. Never throws, whatever it is. */
export function readQuery(bytes: Uint8Array): Arrived {
  if (bytes.length < headerBytes) return { kind: "nothing" };
  const message = Buffer.from(bytes);
  const id = message.readUInt16BE(0);
  const flags = message.readUInt16BE(2);
  if (flags >> 15 === 1) return { kind: "nothing" };
  if (((flags >> 11) & 0xf) !== 0) return { kind: "unusable", id, code: "NOTIMP" };
  if (message.readUInt16BE(4) !== 1) return { kind: "unusable", id, code: "FORMERR" };
  // Only the question is of interest: what stands behind it (EDNS and the like) is not even parsed.
  message.fill(0, 6, headerBytes);
  try {
    const [question] = decode(message).questions ?? [];
    if (question === undefined || !isWireName(question.name)) return { kind: "unusable", id, code: "FORMERR" };
    if (question.class !== "IN") return { kind: "unusable", id, code: "REFUSED" };
    const name = question.name === "." ? "" : canonicalName(question.name);
    return {
      kind: "query",
      query: {
        id,
        recursionDesired: (flags & RECURSION_DESIRED) !== 0,
        spelling: question.name,
        question: { name, type: question.type },
      },
    };
  } catch {
    return { kind: "unusable", id, code: "FORMERR" };
  }
}

/** Whether a name goes over the wire and back unchanged: visible ASCII, no label over 63 bytes. */
function isWireName(name: string): boolean {
  return (
    name === "." ||
    (/^[\x21-\x7e]+$/.test(name) && name.split(".").every((label) => label.length > 0 && label.length <= 63))
  );
}

/** The bytes of one message in answer to a query. */
export function encodeDelivery(query: DnsQuery, { reply, truncated = false, forged }: Delivery): Buffer {
  const message = encode({
    type: forged === "not-a-response" ? "query" : "response",
    id: forged === "id" ? query.id ^ 0x5a5a : query.id,
    flags:
      responseCodes.indexOf(reply.code) |
      RECURSION_AVAILABLE |
      (query.recursionDesired ? RECURSION_DESIRED : 0) |
      (truncated ? TRUNCATED_RESPONSE : 0),
    questions: [
      {
        name: forged === "question" ? `other.${query.spelling}` : query.spelling,
        type: query.question.type as RecordType,
      },
    ],
    answers: reply.answers.map(({ name, type, data, ttl }): Answer => ({ name, type, data, ttl })),
    authorities: reply.authority === undefined ? [] : [soaRecord(reply.authority)],
  });
  if (forged !== "malformed") return message;
  message.writeUInt16BE(reply.answers.length + 5, 6);
  return message;
}

/** The bytes of an answer that is a code alone, without the question. */
export function encodeCode(id: number, code: ResponseCode): Buffer {
  return encode({ type: "response", id, flags: responseCodes.indexOf(code) | RECURSION_AVAILABLE });
}

function soaRecord({ zone, primary }: NonNullable<DnsReply["authority"]>): Answer {
  const isPrivate = primary === privateZonePrimary;
  return {
    type: "SOA",
    name: zone === "" ? "." : zone,
    ttl: 300,
    data: {
      mname: primary,
      rname: isPrivate ? "azureprivatedns-host.microsoft.com" : "azuredns-hostmaster.microsoft.com",
      serial: 1,
      refresh: 3600,
      retry: 300,
      expire: 2_419_200,
      minimum: 10,
    },
  };
}
