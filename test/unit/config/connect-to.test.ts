import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseConnectTo } from "../../../src/config/connect-to.ts";

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?$/);
const host = fc.oneof(
  fc.constant({ written: "", read: undefined }),
  name.map((text) => ({ written: text, read: text })),
  fc.ipV6().map((address) => ({ written: `[${address}]`, read: address })),
);
const port = fc.oneof(
  fc.constant({ written: "", read: undefined }),
  fc.integer({ min: 1, max: 65_535 }).map((number) => ({ written: String(number), read: number })),
);

describe("a connect_to rule", () => {
  test.each([
    ["a.net:8883:127.0.0.1:18883", { fromHost: "a.net", fromPort: 8883, toHost: "127.0.0.1", toPort: 18_883 }],
    ["::localhost:", { toHost: "localhost" }],
    [":443::8443", { fromPort: 443, toPort: 8443 }],
    [":::", {}],
    ["[2001:db8::1]:443:[::1]:8443", { fromHost: "2001:db8::1", fromPort: 443, toHost: "::1", toPort: 8443 }],
  ])("%s", (text, rule) => {
    expect(parseConnectTo(text)).toEqual({ ...rule, text });
  });

  test.each([
    "",
    "a",
    "a:b",
    "a:1:b",
    "a:1:b:2:3",
    "a:x:b:1",
    "a:0:b:1",
    "a:65536:b:1",
    "2001:db8::1:443:b:1",
    "a b:1:c:2",
    "[::1:1:b:2",
    "u@a:1:b:2",
  ])("%j is none", (text) => {
    expect(parseConnectTo(text)).toBeUndefined();
  });

  test("keeps each of its four parts, wherever the others are empty", () => {
    fc.assert(
      fc.property(host, port, host, port, (fromHost, fromPort, toHost, toPort) => {
        const text = [fromHost, fromPort, toHost, toPort].map(({ written }) => written).join(":");
        const rule = parseConnectTo(text);
        expect(rule?.text).toBe(text);
        expect([rule?.fromHost, rule?.fromPort, rule?.toHost, rule?.toPort]).toEqual([
          fromHost.read,
          fromPort.read,
          toHost.read,
          toPort.read,
        ]);
      }),
    );
  });

  test("of any text is a rule or nothing, never an error", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const rule = parseConnectTo(text);
        for (const number of [rule?.fromPort, rule?.toPort]) {
          if (number !== undefined) expect(number).toSatisfy((value: number) => value >= 1 && value <= 65_535);
        }
      }),
    );
  });
});
