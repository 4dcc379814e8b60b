import { describe, expect, test } from "vitest";
import { createLogger, type LogRecord } from "../../src/log.ts";

describe("a logger", () => {
  test("writes its level and above, and makes lazy messages only for those", () => {
    const records: LogRecord[] = [];
    let made = 0;
    const lazy = () => `made ${++made}`;
    const log = createLogger("warn", (record) => records.push(record));
    log.info(lazy);
    log.warn(lazy);
    log.error("plain", { host: "h" });
    expect(made).toBe(1);
    expect(records).toEqual([
      { level: "warn", part: undefined, message: "made 1", fields: {} },
      { level: "error", part: undefined, message: "plain", fields: { host: "h" } },
    ]);
  });

  test("children name their part, parts within parts", () => {
    const parts: (string | undefined)[] = [];
    const log = createLogger("info", ({ part }) => parts.push(part));
    log.child("hub").info("x");
    log.child("hub").child("twin").info("x");
    expect(parts).toEqual(["hub", "hub.twin"]);
  });

  test("silent writes nothing", () => {
    createLogger("silent", () => {
      throw new Error("written");
    }).error("x");
  });
});
