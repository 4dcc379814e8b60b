import { expect, test } from "vitest";
import { EventLines, eventNames } from "../../../src/cli/event-lines.ts";
import { LandfallError } from "../../../src/errors.ts";
import { documentedEvents } from "../../support/event-page.ts";
import { fakeTerminal } from "../../support/fake-terminal.ts";

function printed(fields: object): unknown {
  const terminal = fakeTerminal();
  new EventLines(terminal.out, () => Date.UTC(2026, 2, 1, 12)).write({ event: "waiting", ...fields });
  return JSON.parse(terminal.written.out);
}

test("docs/events.md describes every event, and no other", () => {
  expect([...documentedEvents().keys()].sort()).toEqual([...eventNames].sort());
});

test("an event is one line with schema, time and name", () => {
  expect(printed({ delayMs: 5 })).toEqual({
    schema: "landfall.event/1",
    time: "2026-03-01T12:00:00.000Z",
    event: "waiting",
    delayMs: 5,
  });
});

test("an error of ours prints all it knows, another one its message alone", () => {
  const error = new LandfallError("provisioning.throttled", "slow down", {
    retryAfterMs: 3000,
    service: { errorCode: 429001, trackingId: "t" },
  });
  expect(printed({ error })).toMatchObject({
    error: {
      code: "provisioning.throttled",
      message: "slow down",
      retryAfterMs: 3000,
      service: { errorCode: 429001, trackingId: "t" },
    },
  });
  const foreign = Object.assign(new Error("socket hang up"), { password: "hunter2" });
  expect(printed({ error: foreign })).toMatchObject({ error: { message: "socket hang up" } });
  expect(JSON.stringify(printed({ error: foreign }))).not.toContain("hunter2");
});
