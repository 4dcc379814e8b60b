/** A question as it is answered: the name in lower case, without the final dot; any record type by its name. */
export interface DnsQuestion {
  readonly name: string;
  readonly type: string;
}

/** One record of an answer section. */
export interface AnswerRecord {
  readonly name: string;
  readonly type: "A" | "AAAA" | "CNAME";
  readonly data: string;
  /** Seconds. */
  readonly ttl: number;
}

/** The authority that goes with "no such name" and "no such record". */
export interface ZoneAuthority {
  readonly zone: string;
  /** The zone's primary server; `azureprivatedns.net` is the mark of Azure's private zones. */
  readonly primary: string;
}

/** The codes that a server here answers with. */
export type ResponseCode = "NOERROR" | "FORMERR" | "SERVFAIL" | "NXDOMAIN" | "NOTIMP" | "REFUSED";

/** What a server has to say to a question. */
export interface DnsReply {
  readonly code: ResponseCode;
  readonly answers: readonly AnswerRecord[];
  readonly authority?: ZoneAuthority;
}

/** A reply that is only a code. */
export function bareReply(code: ResponseCode): DnsReply {
  return { code, answers: [] };
}

/** A name as names are compared: lower case, without the final dot. */
export function canonicalName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}
