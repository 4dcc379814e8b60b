import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { CloudMessages } from "../../../src/hub/cloud-messages.ts";
import type { CloudMessage } from "../../../src/transport/messages.ts";

const message = (messageId: string): CloudMessage => ({ payload: new Uint8Array(), properties: {}, messageId });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What the hub sees of a delivery. */
function deliver(messages: CloudMessages, id: string): { state: "open" | "completed" | "sent back" } {
  const delivery: { state: "open" | "completed" | "sent back" } = { state: "open" };
  messages.deliver(message(id)).then(
    () => {
      delivery.state = "completed";
    },
    (error) => {
      delivery.state = error.code === "hub.message-not-completed" ? "sent back" : error;
    },
  );
  return delivery;
}

const cloudMessages = (onWanted = (): void => {}): CloudMessages => new CloudMessages({ onWanted });

describe("cloud-to-device messages", () => {
  test("are completed when the consumer asks for the next one, not before", async () => {
    const messages = cloudMessages();
    const consumer = messages.consume();
    const deliveries = ["1", "2"].map((id) => deliver(messages, id));
    expect((await consumer.next()).value?.messageId).toBe("1");
    await turn();
    expect(deliveries.map(({ state }) => state)).toEqual(["open", "open"]);
    expect((await consumer.next()).value?.messageId).toBe("2");
    await turn();
    expect(deliveries.map(({ state }) => state)).toEqual(["completed", "open"]);
  });

  test("can be completed earlier with done()", async () => {
    const messages = cloudMessages();
    const consumer = messages.consume();
    const delivery = deliver(messages, "1");
    const { value } = await consumer.next();
    value?.done();
    value?.done();
    await turn();
    expect(delivery.state).toBe("completed");
  });

  test("reach a consumer that waits already", async () => {
    const messages = cloudMessages();
    const next = messages.consume().next();
    await turn();
    void deliver(messages, "1");
    expect((await next).value?.messageId).toBe("1");
  });

  test.each([
    [
      "throws",
      (): never => {
        throw new Error("cannot");
      },
    ],
    ["returns", (): "return" => "return"],
  ])("go back to the hub when the consumer's loop %s", async (_, body) => {
    const messages = cloudMessages();
    const consumer = messages.consume();
    const deliveries = ["1", "2"].map((id) => deliver(messages, id));
    const loop = async (): Promise<void> => {
      for await (const _message of consumer) if (body() === "return") return;
    };
    await loop().catch(() => {});
    await turn();
    expect(deliveries.map(({ state }) => state)).toEqual(["sent back", "sent back"]);
    expect(messages.wanted).toBe(false);
    expect(messages.sentBack).toBe(true);
  });

  test("a loop that breaks after done() has completed its message", async () => {
    const messages = cloudMessages();
    const consumer = messages.consume();
    const delivery = deliver(messages, "1");
    for await (const received of consumer) {
      received.done();
      break;
    }
    await turn();
    expect(delivery.state).toBe("completed");
    expect(messages.sentBack).toBe(false);
  });

  test("have one consumer at a time", async () => {
    const messages = cloudMessages();
    const first = messages.consume();
    expect(() => messages.consume()).toThrow(expect.objectContaining({ code: "hub.already-consumed" }));
    await first.return?.();
    void deliver(messages, "x");
    const second = messages.consume();
    void deliver(messages, "1");
    expect((await second.next()).value?.messageId).toBe("1");
  });

  test("go back when nobody consumes", async () => {
    const messages = cloudMessages();
    const delivery = deliver(messages, "1");
    await turn();
    expect(delivery.state).toBe("sent back");
    expect(messages.sentBack).toBe(true);
  });

  test("tell when they become wanted", () => {
    let wanted = 0;
    const messages = cloudMessages(() => wanted++);
    void messages.consume();
    expect(wanted).toBe(1);
  });

  test("that a connection took along are not handed over, and late completions of them count for nothing", async () => {
    const messages = cloudMessages();
    const consumer = messages.consume();
    const old = ["1", "2"].map((id) => deliver(messages, id));
    const { value } = await consumer.next();
    messages.reset();
    value?.done();
    const again = deliver(messages, "1");
    await turn();
    expect([...old, again].map(({ state }) => state)).toEqual(["sent back", "sent back", "open"]);
    expect((await consumer.next()).value?.messageId).toBe("1");
    expect(messages.sentBack).toBe(false);
  });

  test("are held back on demand; idle means that the consumer has completed what it has", async () => {
    const messages = cloudMessages();
    const consumer = messages.consume();
    for (const id of ["1", "2"]) void deliver(messages, id);
    await consumer.next();
    messages.hold();
    let idle = false;
    void messages.idle().then(() => (idle = true));
    await turn();
    expect(idle).toBe(false);
    let handed = false;
    void consumer.next().then(() => (handed = true));
    await turn();
    expect([idle, handed]).toEqual([true, false]);
    messages.reset();
    void deliver(messages, "2");
    await turn();
    expect(handed).toBe(true);
  });

  test("an abort ends the sequence with its reason, once", async () => {
    const messages = cloudMessages();
    const abort = new AbortController();
    const consumer = messages.consume({ signal: abort.signal });
    const next = consumer.next();
    await turn();
    abort.abort("enough");
    await expect(next).rejects.toBe("enough");
    expect(await consumer.next()).toEqual({ done: true, value: undefined });
    expect(messages.wanted).toBe(false);
    expect(() => messages.consume({ signal: abort.signal })).toThrow("enough");
  });

  test("an abort while the consumer is busy is told at its next step", async () => {
    const messages = cloudMessages();
    const abort = new AbortController();
    const consumer = messages.consume({ signal: abort.signal });
    void deliver(messages, "1");
    await consumer.next();
    abort.abort("enough");
    await expect(consumer.next()).rejects.toBe("enough");
  });

  test("leave no listener on a signal once the consumer has gone", async () => {
    const messages = cloudMessages();
    const { signal } = new AbortController();
    await messages.consume({ signal }).return?.();
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("closing ends the loop of the consumer, and of every later one", async () => {
    const messages = cloudMessages();
    const next = messages.consume().next();
    await turn();
    messages.close();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await messages.consume().next()).toEqual({ done: true, value: undefined });
  });

  test("calls of next() that overlap get one message each", async () => {
    const messages = cloudMessages();
    const consumer = messages.consume();
    const nexts = [consumer.next(), consumer.next()];
    for (const id of ["1", "2"]) void deliver(messages, id);
    expect((await Promise.all(nexts)).map(({ value }) => value?.messageId)).toEqual(["1", "2"]);
  });
});
