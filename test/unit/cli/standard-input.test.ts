import { PassThrough, Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { sendLines } from "../../../src/cli/standard-input.ts";
import { type Deferred, deferred } from "../../../src/deferred.ts";
import { LandfallError } from "../../../src/errors.ts";
import { silentLogger } from "../../../src/log.ts";
import type { TelemetryMessage } from "../../../src/transport/messages.ts";

/** An agent of which nothing but its telemetry matters; the test acknowledges. */
function fakeAgent({ telemetryWindow = 4 } = {}) {
  const sent: { text: string; settled: Deferred<void> }[] = [];
  return {
    telemetryWindow,
    sent,
    sendMessage({ payload }: TelemetryMessage): Promise<void> {
      const settled = deferred<void>();
      sent.push({ text: new TextDecoder().decode(payload), settled });
      return settled.promise;
    },
  };
}

function start(input: Readable, agent: ReturnType<typeof fakeAgent>) {
  const events: object[] = [];
  const ending = new AbortController();
  const done = sendLines(
    input,
    agent,
    { log: silentLogger, tell: (event) => events.push(event) },
    { signal: ending.signal },
  );
  return { done, events, ending };
}

/** Long enough for everything that is ready to happen. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 20; turns++) await turn();
}

describe("messages from standard input", () => {
  test("are read no further ahead than the window, one more for each acknowledgement", async () => {
    let pulled = 0;
    const endless = Readable.from(
      (function* () {
        for (;;) yield `${++pulled}\n`;
      })(),
      { objectMode: false, highWaterMark: 1 },
    );
    const agent = fakeAgent();
    const { done, ending } = start(endless, agent);
    await settle();
    expect(agent.sent.map(({ text }) => text)).toEqual(["1", "2", "3", "4"]);
    expect(pulled - agent.sent.length).toBeLessThan(5);
    agent.sent[0]?.settled.resolve();
    await settle();
    expect(agent.sent).toHaveLength(5);
    expect(pulled - agent.sent.length).toBeLessThan(5);
    ending.abort();
    for (const { settled } of agent.sent) settled.resolve();
    await done;
  });

  test("end when the last line is acknowledged, not before", async () => {
    const agent = fakeAgent();
    const { done, events } = start(Readable.from(["1\n2\n"]), agent);
    await settle();
    let ended = false;
    void done.then(() => {
      ended = true;
    });
    agent.sent[0]?.settled.resolve();
    await settle();
    expect(ended).toBe(false);
    agent.sent[1]?.settled.resolve();
    expect(await done).toBe(0);
    expect(events).toEqual([
      { event: "telemetry-acknowledged", kind: "line", line: 1 },
      { event: "telemetry-acknowledged", kind: "line", line: 2 },
    ]);
  });

  test("that are none, or that the hub will not have, are counted and told by their line", async () => {
    const agent = fakeAgent();
    const { done, events } = start(Readable.from(['nonsense\n1\n{"body":1,"x":2}\n2']), agent);
    await settle();
    const tooLarge = new LandfallError("transport.message-too-large", "too large");
    agent.sent[0]?.settled.reject(tooLarge);
    agent.sent[1]?.settled.resolve();
    expect(await done).toBe(3);
    expect(events).toEqual([
      { event: "message-refused", line: 1, fault: "not-json" },
      { event: "message-refused", line: 3, fault: "bad-envelope" },
      { event: "message-refused", line: 2, fault: "not-sent", error: tooLarge },
      { event: "telemetry-acknowledged", kind: "line", line: 4 },
    ]);
  });

  test("stop being read at a signal; what was read is still waited for", async () => {
    const input = new PassThrough();
    const agent = fakeAgent();
    const { done, events, ending } = start(input, agent);
    input.write("1\n2\n");
    await settle();
    ending.abort();
    await settle();
    expect(input.destroyed).toBe(true);
    agent.sent[0]?.settled.resolve();
    agent.sent[1]?.settled.reject(new LandfallError("hub.closed", "the agent was closed"));
    expect(await done).toBe(1);
    expect(events).toHaveLength(2);
  });

  test("stop being read at a signal also while the window is full", async () => {
    const agent = fakeAgent({ telemetryWindow: 1 });
    const { done, ending } = start(Readable.from(["1\n2\n3\n"]), agent);
    await settle();
    ending.abort();
    await settle();
    agent.sent[0]?.settled.resolve();
    expect(await done).toBe(0);
    expect(agent.sent).toHaveLength(1);
  });
});
