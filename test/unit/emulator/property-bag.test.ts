import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatPropertyBag,
  parsePropertyBag,
  parseTopicQuery,
  requestIdOf,
} from "../../../src/emulator/property-bag.ts";

describe("a property bag", () => {
  test("decodes every pair by itself", () => {
    const bag = parsePropertyBag("%24.mid=1%2F2%20%C3%A4&$.ct=a&a%20b=c%26d%3De%2F%C3%A9&a=b=c");
    expect([...bag]).toEqual([
      ["$.mid", "1/2 ä"],
      ["$.ct", "a"],
      ["a b", "c&d=e/é"],
      ["a", "b=c"],
    ]);
  });

  test("tells a bare key from an empty value, and keeps what cannot be decoded", () => {
    expect([...parsePropertyBag("null&empty=&broken=%E0%A4&plus=1+1&&last=2")]).toEqual([
      ["null", null],
      ["empty", ""],
      ["broken", "%E0%A4"],
      ["plus", "1+1"],
      ["last", "2"],
    ]);
    expect(parsePropertyBag("").size).toBe(0);
  });

  test("comes back as it was written", () => {
    const text = fc.string({ unit: "grapheme" });
    const pairs = fc.uniqueArray(
      fc.tuple(
        text.filter((key) => key !== ""),
        fc.option(text),
      ),
      { selector: ([key]) => key },
    );
    fc.assert(
      fc.property(pairs, (bag) => {
        expect([...parsePropertyBag(formatPropertyBag(bag))]).toEqual(bag);
      }),
    );
  });

  test("can be read from any text", () => {
    fc.assert(fc.property(fc.string(), (text) => void parsePropertyBag(text)));
  });
});

describe("the query of a topic", () => {
  test("is what follows the question mark", () => {
    expect(parseTopicQuery("$dps/x/?$rid=1&operationId=4.a").get("operationId")).toBe("4.a");
    expect(parseTopicQuery("$dps/x/").size).toBe(0);
  });

  test.each([
    ["a/?$rid=7f3a", "7f3a"],
    ["a/?%24rid=1&x=2", "1"],
    ["a/?x=2&$rid=%41%2f+", "%41%2f+"],
    ["a/?$rid=", ""],
    ["a/?$rid", undefined],
    ["a/?rid=1", undefined],
    ["a/", undefined],
  ])("has the request id letter by letter: %s", (topic, requestId) => {
    expect(requestIdOf(topic)).toBe(requestId);
  });
});
