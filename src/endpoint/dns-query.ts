import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { type Clock, systemClock } from "../clock.ts";
import { type Deadline, withDeadline } from "../deadline.ts";
import { describeCause } from "../errors.ts";
import { type DnsQuestion, type DnsResponse, encodeQuery, readResponse } from "./dns-message.ts";
import { normaliseHost } from "./host-name.ts";
import { formatNameServer, type NameServer } from "./name-server.ts";
import type { ServerAnswer } from "./server-answer.ts";

/**
 * Asks one name server one question. Always resolves, with the failure as data; rejects only with `signal.reason`.
 */
export type DnsQuery = (
  server: NameServer,
  question: DnsQuestion,
  options?: { readonly signal?: AbortSignal | undefined },
) => Promise<ServerAnswer>;

/** Settings of {@link createDnsQuery}. */
export interface DnsQueryOptions {
  readonly clock?: Clock;
  /** Longest wait for UDP, and again for TCP when the answer was truncated, in milliseconds. Default 2000. */
  readonly timeoutMs?: number;
  /** A UDP query is sent again after each of these many milliseconds, for one packet in a few is lost on radio links. */
  readonly resendAfterMs?: readonly number[];
  /** Query ids, 0 to 65535. Default: from the system's random source. */
  readonly nextId?: () => number;
}

/**
 * A {@link DnsQuery} over the network: UDP from a fresh random port, then TCP when the answer is truncated. Only datagrams that
 * come from the server's own address and port, and match id and question, are taken; all others are ignored, and waiting goes on.
 */
export function createDnsQuery({
  clock = systemClock,
  timeoutMs = 2000,
  resendAfterMs = [600, 700],
  nextId = () => randomInt(0x10000),
}: DnsQueryOptions = {}): DnsQuery {
  return async (server, question, { signal } = {}) => {
    const deadline: Deadline = {
      clock,
      ms: timeoutMs,
      expired: () => new DeadlinePassed(`nothing arrived within ${timeoutMs} ms`),
      signal,
    };
    const attempt = async (carrier: ServerAnswer["carrier"], exchange: typeof overUdp): Promise<ServerAnswer> => {
      const parts = { clock, server, id: nextId(), question, resendAfterMs };
      try {
        const response = await withDeadline((limit) => exchange({ ...parts, signal: limit }), deadline);
        return toAnswer(server, question, carrier, response);
      } catch (error) {
        signal?.throwIfAborted();
        return toFailure(server, question, carrier, error);
      }
    };
    const first = await attempt("udp", overUdp);
    if (first.failure !== "cut") return first;
    const whole = await attempt("tcp", overTcp);
    return whole.rcode === undefined ? { ...first, detail: `TCP: ${whole.detail ?? whole.failure}` } : whole;
  };
}

interface Exchange {
  readonly clock: Clock;
  readonly server: NameServer;
  readonly id: number;
  readonly question: DnsQuestion;
  readonly resendAfterMs: readonly number[];
  readonly signal: AbortSignal;
}

class DeadlinePassed extends Error {}

async function overUdp({ clock, server, id, question, resendAfterMs, signal }: Exchange): Promise<DnsResponse> {
  const socket = createSocket(server.address.includes(":") ? "udp6" : "udp4");
  const packet = encodeQuery(id, question);
  const finished = new AbortController();
  try {
    return await new Promise<DnsResponse>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      finished.signal.addEventListener("abort", () => signal.removeEventListener("abort", onAbort), { once: true });
      socket.on("error", reject);
      socket.on("message", (bytes) => {
        const response = readResponse(bytes, id, question);
        if (response !== undefined) resolve(response);
      });
      // A connected socket takes datagrams from this one address and port only, and learns when the server's machine refuses.
      socket.connect(server.port, server.address, (error?: Error) => {
        if (error) return reject(error);
        const send = (): void => socket.send(packet, (failed) => failed && reject(failed));
        send();
        void sendAgain(send, clock, resendAfterMs, finished.signal);
      });
    });
  } finally {
    finished.abort();
    socket.close();
  }
}

async function sendAgain(
  send: () => void,
  clock: Clock,
  pauses: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  try {
    for (const pause of pauses) {
      await clock.sleep(pause, { signal });
      send();
    }
  } catch {
    // Answered or given up meanwhile.
  }
}

async function overTcp({ server, id, question, signal }: Exchange): Promise<DnsResponse> {
  const query = encodeQuery(id, question);
  const socket = connect({ host: server.address, port: server.port });
  let onAbort: (() => void) | undefined;
  try {
    return await new Promise<DnsResponse>((resolve, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      let received = Buffer.alloc(0);
      socket.on("error", reject);
      socket.on("close", () => reject(new Error("the server closed the connection")));
      socket.on("data", (bytes) => {
        received = Buffer.concat([received, bytes]);
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
        const response = readResponse(received.subarray(2, 2 + received.readUInt16BE(0)), id, question);
        if (response === undefined) reject(new Error("the server answered another question"));
        else resolve(response);
      });
      socket.on("connect", () => socket.write(Buffer.concat([lengthPrefix(query), query])));
    });
  } finally {
    if (onAbort) signal.removeEventListener("abort", onAbort);
    socket.destroy();
  }
}

function lengthPrefix(message: Buffer): Buffer {
  const prefix = Buffer.alloc(2);
  prefix.writeUInt16BE(message.length);
  return prefix;
}

function toAnswer(
  server: NameServer,
  { type }: DnsQuestion,
  carrier: ServerAnswer["carrier"],
  { fault, ...response }: DnsResponse,
): ServerAnswer {
  return {
    server: formatNameServer(server),
    type,
    carrier,
    ...response,
    ...(fault === undefined ? {} : { failure: fault }),
  };
}

function toFailure(
  server: NameServer,
  { name, type }: DnsQuestion,
  carrier: ServerAnswer["carrier"],
  error: unknown,
): ServerAnswer {
  return {
    server: formatNameServer(server),
    type,
    carrier,
    failure: error instanceof DeadlinePassed ? "timeout" : "unreachable",
    detail: describeCause(error),
    chain: [],
    terminalOwner: normaliseHost(name),
    addresses: [],
  };
}
