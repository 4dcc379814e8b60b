import { isPrivateAddress } from "../resources/address-space.ts";
import { type AnswerRecord, bareReply, type DnsQuestion, type DnsReply } from "./message.ts";

/** One message that a server sends. */
export interface Delivery {
  readonly reply: DnsReply;
  /** Sets the TC bit. */
  readonly truncated?: boolean;
  /**
   * A forgery: `id`, `question` and `not-a-response` (QR = 0) do not match the query; `source` comes from another port (UDP
   * only); `malformed` matches, but promises records that it does not have.
   */
  readonly forged?: "id" | "question" | "not-a-response" | "source" | "malformed";
}

/** What a server does about one query: messages in order (none: silence), or cutting the TCP connection. */
export type Deliveries = readonly Delivery[] | "hang-up";

/** What carries a query. */
export type DnsCarrier = "udp" | "tcp";

type Treatment = (reply: DnsReply, question: DnsQuestion, carrier: DnsCarrier) => Deliveries;

/** The private address that forgeries point at; no endpoint here ever has it. */
export const forgedAddress = "10.66.6.6";

const forgery = ({ name }: DnsQuestion): DnsReply => ({
  code: "NOERROR",
  answers: [{ name, type: "A", data: forgedAddress, ttl: 3600 }],
});

const alias = (name: string, data: string): AnswerRecord => ({ name, type: "CNAME", data, ttl: 60 });

const withoutAddresses = (reply: DnsReply): DnsReply => ({
  ...reply,
  answers: reply.answers.filter(({ type }) => type === "CNAME"),
});

/** Hops of the `endless-chain`; more than any real chain has. */
const endlessHops = 40;

const forgedFirst =
  (forged: NonNullable<Delivery["forged"]>): Treatment =>
  (reply, question, carrier) =>
    carrier === "udp" ? [{ reply: forgery(question), forged }, { reply }] : [{ reply }];

/** What a server can do with a reply, by name. */
const treatments = {
  /** Sends it as it is. */
  honest: (reply) => [{ reply }],
  /** Fails, as a forwarder does whose own server is out of reach. */
  servfail: () => [{ reply: bareReply("SERVFAIL") }],
  /** Will not answer this client. */
  refused: () => [{ reply: bareReply("REFUSED") }],
  /** Never answers. */
  silent: () => [],
  /** UDP carries the aliases and the TC bit; TCP carries all. */
  truncated: (reply, _question, carrier) =>
    carrier === "udp" ? [{ reply: withoutAddresses(reply), truncated: true }] : [{ reply }],
  /** UDP carries the aliases and the TC bit; TCP is cut. */
  cut: (reply, _question, carrier) =>
    carrier === "udp" ? [{ reply: withoutAddresses(reply), truncated: true }] : "hang-up",
  /** Rebind protection: private addresses are taken out; no SOA, for the record does exist. */
  "strip-private": (reply) => [
    {
      reply: {
        ...reply,
        answers: reply.answers.filter(({ type, data }) => type === "CNAME" || !isPrivateAddress(data)),
      },
    },
  ],
  /** Aliases that go in a circle. */
  loop: (_reply, { name }) => [
    { reply: { code: "NOERROR", answers: [alias(name, "a.loop.example"), alias("a.loop.example", name)] } },
  ],
  /** More aliases than anybody should follow; a private address at their end. */
  "endless-chain": (_reply, { name }) => {
    const names = [name, ...Array.from({ length: endlessHops }, (_, at) => `hop-${at}.chain.example`)];
    const hops = names.slice(1).map((next, at) => alias(names[at] ?? name, next));
    const end: AnswerRecord = { name: names.at(-1) ?? name, type: "A", data: forgedAddress, ttl: 60 };
    return [{ reply: { code: "NOERROR", answers: [...hops, end] } }];
  },
  /** Records beside the way from the question to its answer, with a privatelink name and a private address. */
  "off-chain": (reply, { name }) => {
    const other = name.replace(".", ".privatelink.other.");
    const extra: readonly AnswerRecord[] = [
      alias(`x.${name}`, other),
      { name: other, type: "A", data: forgedAddress, ttl: 60 },
    ];
    return [{ reply: { ...reply, answers: [...extra, ...reply.answers] } }];
  },
  /** A forgery with another id comes first. */
  "wrong-id-first": forgedFirst("id"),
  /** A forgery for another question comes first. */
  "wrong-question-first": forgedFirst("question"),
  /** A forgery that is a query itself comes first. */
  "not-a-response-first": forgedFirst("not-a-response"),
  /** A forgery from another port comes first. */
  "wrong-source-first": forgedFirst("source"),
  /** A response that breaks off before its records. */
  malformed: (reply) => [{ reply, forged: "malformed" }],
} as const satisfies Record<string, Treatment>;

/** The name of something that a server does with its replies. */
export type DnsTreatment = keyof typeof treatments;

/** All of them. */
export const dnsTreatments = Object.keys(treatments) as readonly DnsTreatment[];

/** What a server sends that has `reply` to say and treats it so. */
export function treat(name: DnsTreatment, reply: DnsReply, question: DnsQuestion, carrier: DnsCarrier): Deliveries {
  return treatments[name](reply, question, carrier);
}
