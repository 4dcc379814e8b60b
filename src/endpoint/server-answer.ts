import type { DnsResponse, QueryType, ResponseFault } from "./dns-message.ts";

/**
 * Why there is no conclusive answer: what the response was, or
 *
 * - `timeout`: nothing that answers the question arrived in time
 * - `unreachable`: the network or the server's machine turned the query away
 */
export type AnswerFailure = ResponseFault | "timeout" | "unreachable";

/** What one name server said about one name and record type. */
export interface ServerAnswer extends Omit<DnsResponse, "rcode" | "fault"> {
  /** The server, as `10.0.0.4:53`. */
  readonly server: string;
  readonly type: QueryType;
  /** Absent when there was no response at all. */
  readonly rcode?: string;
  /** Absent when the answer is conclusive: NOERROR or NXDOMAIN, whole. */
  readonly failure?: AnswerFailure;
  /** What was behind a failure, for people. */
  readonly detail?: string;
  /** What carried the answer that counts. */
  readonly carrier: "udp" | "tcp";
}
