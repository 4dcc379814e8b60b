import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LandfallError } from "../../../src/errors.ts";
import { TelemetryQueue } from "../../../src/hub/telemetry-queue.ts";
import type { FakeHubConnection } from "../../../src/testing/fake-hub-connection.ts";
import { FakeHubTransport } from "../../../src/testing/fake-hub-transport.ts";
import type { TelemetryMessage } from "../../../src/transport/messages.ts";

const message = (id: number | string): TelemetryMessage => ({ payload: new Uint8Array(), messageId: String(id) });
const idsOf = (messages: readonly TelemetryMessage[]): string[] => messages.map(({ messageId }) => messageId ?? "");
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const closed = new LandfallError("hub.closed", "closed");

/** A connection to a hub that acknowledges when told to. */
async function connect(transport = new FakeHubTransport()): Promise<FakeHubConnection> {
  transport.autoAck = false;
  const credential = { kind: "sas" as const, token: () => Promise.reject(new Error("unused")) };
  return transport.connect({ host: "hub" }, { deviceId: "d", credential }, {});
}

/** How a send went, readable at any time. */
function watch(sending: Promise<void>): { outcome: "pending" | "acknowledged" | unknown } {
  const watched: { outcome: unknown } = { outcome: "pending" };
  sending.then(
    () => {
      watched.outcome = "acknowledged";
    },
    (error) => {
      watched.outcome = error;
    },
  );
  return watched;
}

describe("the telemetry queue", () => {
  test("resolves a send only once the hub has acknowledged it", async () => {
    const queue = new TelemetryQueue({ window: 4 });
    const connection = await connect();
    queue.attach(connection);
    const sent = watch(queue.send(message(1)));
    await turn();
    expect(sent.outcome).toBe("pending");
    connection.ack();
    await turn();
    expect(sent.outcome).toBe("acknowledged");
    expect(queue.pending).toBe(0);
  });

  test("keeps no more on the wire than the window, and lets the next on at each acknowledgement", async () => {
    const queue = new TelemetryQueue({ window: 2 });
    const connection = await connect();
    queue.attach(connection);
    for (const id of [1, 2, 3, 4]) void queue.send(message(id));
    await turn();
    expect(idsOf(connection.telemetry)).toEqual(["1", "2"]);
    connection.ack();
    await turn();
    expect(idsOf(connection.telemetry)).toEqual(["1", "2", "3"]);
  });

  test("waits for a connection when there is none", async () => {
    const queue = new TelemetryQueue({ window: 2 });
    const sent = watch(queue.send(message(1)));
    await turn();
    expect(sent.outcome).toBe("pending");
    const connection = await connect();
    queue.attach(connection);
    connection.ack();
    await turn();
    expect(sent.outcome).toBe("acknowledged");
  });

  test("sends again over the next connection what the last one did not acknowledge, in order", async () => {
    const queue = new TelemetryQueue({ window: 3 });
    const [first, second] = [await connect(), await connect()];
    queue.attach(first);
    const sends = [1, 2, 3, 4].map((id) => watch(queue.send(message(id))));
    await turn();
    first.ack();
    await turn();
    first.drop();
    queue.detach();
    queue.attach(second);
    await turn();
    expect(idsOf(second.telemetry)).toEqual(["2", "3", "4"]);
    second.ack(3);
    await turn();
    expect(sends.map(({ outcome }) => outcome)).toEqual(Array(4).fill("acknowledged"));
  });

  test("an acknowledgement that comes after the connection was given up still counts", async () => {
    const queue = new TelemetryQueue({ window: 1 });
    const [first, second] = [await connect(), await connect()];
    queue.attach(first);
    const sent = watch(queue.send(message(1)));
    queue.detach();
    first.ack();
    await turn();
    expect(sent.outcome).toBe("acknowledged");
    queue.attach(second);
    expect(second.telemetry).toEqual([]);
  });

  test("refuses a message above 256 KB with its properties, without sending it", async () => {
    const queue = new TelemetryQueue({ window: 1 });
    const connection = await connect();
    queue.attach(connection);
    const fits = { payload: new Uint8Array(262_144 - 6), properties: { key: "val" } };
    void queue.send(fits);
    expect(connection.telemetry).toEqual([fits]);
    const tooLarge = { payload: new Uint8Array(262_144 - 6), properties: { key: "välue" } };
    await expect(queue.send(tooLarge)).rejects.toMatchObject({ code: "transport.message-too-large" });
    expect(queue.pending).toBe(1);
  });

  test("an abort takes back a message that is not on the wire", async () => {
    const queue = new TelemetryQueue({ window: 1 });
    const connection = await connect();
    queue.attach(connection);
    const abort = new AbortController();
    void queue.send(message(1));
    const second = watch(queue.send(message(2), { signal: abort.signal }));
    const third = watch(queue.send(message(3)));
    abort.abort("gone");
    connection.ack(1);
    await turn();
    connection.ack(1);
    await turn();
    expect(second.outcome).toBe("gone");
    expect(third.outcome).toBe("acknowledged");
    expect(idsOf(connection.telemetry)).toEqual(["1", "3"]);
  });

  test("a message that was on the wire at its abort keeps its place there, and is not sent again", async () => {
    const queue = new TelemetryQueue({ window: 1 });
    const [first, second] = [await connect(), await connect()];
    queue.attach(first);
    const abort = new AbortController();
    const aborted = watch(queue.send(message(1), { signal: abort.signal }));
    void queue.send(message(2));
    abort.abort("gone");
    await turn();
    expect(aborted.outcome).toBe("gone");
    expect(idsOf(first.telemetry)).toEqual(["1"]);
    queue.detach();
    queue.attach(second);
    expect(idsOf(second.telemetry)).toEqual(["2"]);
  });

  test("rejects a send whose signal has aborted before", async () => {
    const queue = new TelemetryQueue({ window: 1 });
    await expect(queue.send(message(1), { signal: AbortSignal.abort("gone") })).rejects.toBe("gone");
    expect(queue.pending).toBe(0);
  });

  test("passes on what the transport will never accept, and goes on with the next message", async () => {
    const refusal = new LandfallError("transport.message-too-large", "too large for this transport");
    const transport = new FakeHubTransport().behave((operation) =>
      operation.kind === "telemetry" && operation.message.messageId === "1" ? refusal : undefined,
    );
    const queue = new TelemetryQueue({ window: 1 });
    const connection = await connect(transport);
    queue.attach(connection);
    const refused = watch(queue.send(message(1)));
    void queue.send(message(2));
    await turn();
    expect(refused.outcome).toBe(refusal);
    expect(idsOf(connection.telemetry)).toEqual(["2"]);
  });

  test("gives up a connection that failed a message without ending, so that the order is kept", async () => {
    const silence = new LandfallError("transport.timeout", "no acknowledgement");
    const transport = new FakeHubTransport().behave((operation, { autoAck }) =>
      operation.kind === "telemetry" && !autoAck ? silence : undefined,
    );
    const queue = new TelemetryQueue({ window: 1 });
    const connection = await connect(transport);
    queue.attach(connection);
    const sent = watch(queue.send(message(1)));
    await expect(connection.ended).resolves.toBe(silence);
    expect(sent.outcome).toBe("pending");
  });

  test("a failure that comes after the connection was given up changes nothing", async () => {
    const queue = new TelemetryQueue({ window: 1 });
    const [first, second] = [await connect(), await connect()];
    let fail: (error: Error) => void = () => {};
    first.sendTelemetry = () => new Promise((_, reject) => (fail = reject));
    queue.attach(first);
    const sent = watch(queue.send(message(1)));
    queue.detach();
    fail(new Error("too late to matter"));
    await turn();
    expect(sent.outcome).toBe("pending");
    queue.attach(second);
    second.ack();
    await turn();
    expect(sent.outcome).toBe("acknowledged");
  });

  test("takes one listener on a signal that is given to many sends", async () => {
    const queue = new TelemetryQueue({ window: 1 });
    const abort = new AbortController();
    const sends = Array.from({ length: 50 }, (_, id) => watch(queue.send(message(id), { signal: abort.signal })));
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(1);
    abort.abort("gone");
    await turn();
    expect(new Set(sends.map(({ outcome }) => outcome))).toEqual(new Set(["gone"]));
  });

  test("leaves no listener on a signal once a send is settled", async () => {
    const queue = new TelemetryQueue({ window: 1 });
    const connection = await connect();
    queue.attach(connection);
    const { signal } = new AbortController();
    const sending = queue.send(message(1), { signal });
    connection.ack();
    await sending;
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("puts nothing new on the wire while paused, and is quiet once that is acknowledged", async () => {
    const queue = new TelemetryQueue({ window: 2 });
    const connection = await connect();
    queue.attach(connection);
    void queue.send(message(1));
    queue.pause();
    const late = watch(queue.send(message(2)));
    const quiet = watch(queue.quiet());
    await turn();
    expect([quiet.outcome, idsOf(connection.telemetry)]).toEqual(["pending", ["1"]]);
    connection.ack();
    await turn();
    expect([quiet.outcome, late.outcome]).toEqual(["acknowledged", "pending"]);
    queue.resume();
    expect(idsOf(connection.telemetry)).toEqual(["1", "2"]);
  });

  test("is drained once everything is acknowledged, and a signal bounds the wait", async () => {
    const queue = new TelemetryQueue({ window: 1 });
    const connection = await connect();
    queue.attach(connection);
    for (const id of [1, 2]) void queue.send(message(id));
    const abort = new AbortController();
    const bounded = watch(queue.drain({ signal: abort.signal }));
    const drained = watch(queue.drain());
    abort.abort("too long");
    connection.ack();
    await turn();
    expect([bounded.outcome, drained.outcome]).toEqual(["too long", "pending"]);
    connection.ack();
    await turn();
    expect(drained.outcome).toBe("acknowledged");
  });

  test("closing rejects everything that waits, and all to come", async () => {
    const queue = new TelemetryQueue({ window: 1 });
    queue.attach(await connect());
    const waiting = [queue.send(message(1)), queue.send(message(2)), queue.drain()].map(watch);
    queue.close(closed);
    waiting.push(watch(queue.send(message(3))));
    await turn();
    expect(waiting.map(({ outcome }) => outcome)).toEqual(Array(4).fill(closed));
  });

  test("is stalled while the connection has messages and has acknowledged none", async () => {
    const queue = new TelemetryQueue({ window: 2 });
    const connection = await connect();
    queue.attach(connection);
    expect(queue.stalled).toBe(false);
    for (const id of [1, 2]) void queue.send(message(id));
    expect(queue.stalled).toBe(true);
    connection.ack();
    await turn();
    expect(queue.stalled).toBe(false);
  });
});

/** One thing that can happen to a queue. */
type Step =
  | { readonly kind: "send" }
  | { readonly kind: "ack"; readonly count: number }
  | { readonly kind: "drop" }
  | { readonly kind: "reconnect" }
  | { readonly kind: "pause" }
  | { readonly kind: "abort"; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Step>({ kind: "send" }) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 4 }).map((count): Step => ({ kind: "ack", count })) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: "drop" }) },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: "reconnect" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: "pause" }) },
  { weight: 1, arbitrary: fc.nat().map((which): Step => ({ kind: "abort", which })) },
);

interface Sent {
  readonly id: string;
  readonly abort: AbortController;
  readonly watched: { outcome: unknown };
}

/** A queue, its sends, and hubs that come and go. */
class Line {
  readonly queue: TelemetryQueue;
  readonly window: number;
  readonly sends: Sent[] = [];
  readonly connections: FakeHubConnection[] = [];
  readonly acknowledged = new Set<string>();
  readonly #transport = new FakeHubTransport();

  constructor(window: number) {
    this.window = window;
    this.queue = new TelemetryQueue({ window });
  }

  get current(): FakeHubConnection | undefined {
    return this.connections.at(-1);
  }

  async take(each: Step): Promise<void> {
    switch (each.kind) {
      case "send": {
        const id = String(this.sends.length);
        const abort = new AbortController();
        this.sends.push({ id, abort, watched: watch(this.queue.send(message(id), { signal: abort.signal })) });
        break;
      }
      case "ack":
        this.ack(each.count);
        break;
      case "drop":
        this.current?.drop();
        this.queue.detach();
        break;
      case "reconnect":
        this.current?.drop();
        this.queue.detach();
        this.connections.push(await connect(this.#transport));
        this.queue.attach(this.current as FakeHubConnection);
        break;
      case "pause":
        this.queue.pause();
        break;
      case "abort":
        this.sends[each.which % Math.max(1, this.sends.length)]?.abort.abort("aborted");
        break;
    }
    await turn();
    expect(this.current?.unacknowledged ?? 0).toBeLessThanOrEqual(this.window);
  }

  ack(count: number): void {
    const { current } = this;
    if (!current?.open) return;
    const done = current.telemetry.length - current.unacknowledged;
    for (const { messageId } of current.telemetry.slice(done, done + count)) this.acknowledged.add(messageId ?? "");
    current.ack(count);
  }
}

describe("the telemetry queue, whatever happens to its connections", () => {
  const history = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 30 }));

  async function play([window, steps]: [number, Step[]]): Promise<Line> {
    const line = new Line(window);
    for (const each of steps) await line.take(each);
    return line;
  }

  test("resolves exactly the sends that a hub acknowledged", async () => {
    await fc.assert(
      fc.asyncProperty(history, async (played) => {
        const line = await play(played);
        for (const { id, watched } of line.sends) {
          if (watched.outcome === "acknowledged") expect(line.acknowledged).toContain(id);
          if (watched.outcome === "pending") expect(line.acknowledged).not.toContain(id);
        }
      }),
    );
  });

  test("sends nothing again that was acknowledged, keeps the order, and sends nothing twice on one connection", async () => {
    await fc.assert(
      fc.asyncProperty(history, async ([window, steps]) => {
        const line = new Line(window);
        for (const each of steps) {
          const acknowledgedBefore = new Set(line.acknowledged);
          const connectionsBefore = line.connections.length;
          await line.take(each);
          const fresh = line.connections.slice(connectionsBefore).flatMap(({ telemetry }) => idsOf(telemetry));
          expect(fresh.filter((id) => acknowledgedBefore.has(id))).toEqual([]);
        }
        for (const { telemetry } of line.connections) {
          const ids = idsOf(telemetry).map(Number);
          expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
        }
      }),
    );
  });

  test("gets every message through that was not aborted, once a connection holds", async () => {
    await fc.assert(
      fc.asyncProperty(history, async (played) => {
        const line = await play(played);
        await line.take({ kind: "reconnect" });
        while (line.queue.pending > 0) await line.take({ kind: "ack", count: 4 });
        for (const { abort, watched } of line.sends) {
          expect(["acknowledged", ...(abort.signal.aborted ? ["aborted"] : [])]).toContain(watched.outcome);
        }
      }),
    );
  });
});
