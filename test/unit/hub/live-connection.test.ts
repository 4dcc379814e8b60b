import { describe, expect, test } from "vitest";
import { LandfallError } from "../../../src/errors.ts";
import { LiveConnection } from "../../../src/hub/live-connection.ts";
import type { HubConnection } from "../../../src/transport/transport.ts";

const closed = new LandfallError("transport.closed", "closed");
/** Nothing of a connection is used here but its identity. */
const connection = (name: string): HubConnection => ({ name }) as unknown as HubConnection;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the live connection", () => {
  test("lets a request wait until there is a connection", async () => {
    const live = new LiveConnection();
    const first = connection("first");
    const used = live.use(async (each) => each);
    live.offer(first);
    expect(await used).toBe(first);
  });

  test("makes a request again over the next connection when its own was closed", async () => {
    const live = new LiveConnection();
    const [first, second] = [connection("first"), connection("second")];
    live.offer(first);
    const tried: HubConnection[] = [];
    const used = live.use(async (each) => {
      tried.push(each);
      if (each === first) throw closed;
      return "answer";
    });
    await turn();
    expect(tried).toEqual([first]);
    live.offer(second);
    expect(await used).toBe("answer");
    expect(tried).toEqual([first, second]);
  });

  test("passes every other failure on", async () => {
    const live = new LiveConnection();
    live.offer(connection("first"));
    const refusal = new LandfallError("hub.twin-rejected", "no");
    await expect(live.use(() => Promise.reject(refusal))).rejects.toBe(refusal);
  });

  test("holds new requests back when withdrawn, and is quiet once those under way are done", async () => {
    const live = new LiveConnection();
    live.offer(connection("first"));
    let answer: () => void = () => {};
    const used = live.use(() => new Promise<void>((resolve) => (answer = resolve)));
    await turn();
    live.withdraw();
    let quiet = false;
    void live.quiet().then(() => (quiet = true));
    let available = false;
    void live.available().then(() => (available = true));
    await turn();
    expect([quiet, available]).toEqual([false, false]);
    answer();
    await used;
    await turn();
    expect([quiet, available]).toEqual([true, false]);
  });

  test("an abort ends the wait for a connection and for an answer", async () => {
    const live = new LiveConnection();
    const abort = new AbortController();
    const waiting = live.available({ signal: abort.signal });
    abort.abort("enough");
    await expect(waiting).rejects.toBe("enough");
    live.offer(connection("first"));
    const later = new AbortController();
    const asking = live.use(() => new Promise(() => {}), { signal: later.signal });
    await turn();
    later.abort("enough");
    await expect(asking).rejects.toBe("enough");
    await live.quiet();
  });

  test("closing rejects who waits, now and later", async () => {
    const live = new LiveConnection();
    const reason = new LandfallError("hub.closed", "closed");
    const waiting = live.use(async () => {});
    live.close(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(live.available()).rejects.toBe(reason);
  });
});
