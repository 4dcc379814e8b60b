import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { goesDirect } from "../../../src/endpoint/no-proxy.ts";

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
const port = fc.integer({ min: 1, max: 65535 });

describe("no_proxy", () => {
  test.each([
    ["hub.test", "hub.test", 443, true],
    ["hub.test", "a.hub.test", 443, true],
    [".hub.test", "a.hub.test", 443, true],
    [".hub.test", "hub.test", 443, true],
    ["*.hub.test", "a.hub.test", 443, true],
    ["hub.test", "myhub.test", 443, false],
    ["hub.test", "hub.test.other", 443, false],
    ["hub.test:443", "hub.test", 443, true],
    ["hub.test:443", "hub.test", 8443, false],
    ["*", "anything.test", 1, true],
    ["*:443", "anything.test", 443, true],
    ["*:443", "anything.test", 80, false],
    ["10.0.0.4", "10.0.0.4", 443, true],
    ["::1", "::1", 443, true],
    ["[::1]", "::1", 443, true],
    ["[::1]:443", "::1", 443, true],
    ["[::1]:443", "::1", 80, false],
    ["", "hub.test", 443, false],
    [".", "hub.test", 443, false],
  ])("%j covers %s port %i: %s", (rule, host, at, expected) => {
    expect(goesDirect([rule], host, at)).toBe(expected);
  });

  test("no rules: everything goes through the proxy", () => {
    fc.assert(fc.property(name, port, (host, at) => !goesDirect([], host, at)));
  });

  test("a name covers itself and every name under it, in any case, with a closing dot or without", () => {
    fc.assert(
      fc.property(name, label, port, fc.constantFrom("", "."), (domain, sub, at, dot) => {
        expect(goesDirect([domain], `${domain}${dot}`, at)).toBe(true);
        expect(goesDirect([`.${domain}`], `${sub}.${domain}`.toUpperCase(), at)).toBe(true);
        expect(goesDirect([` ${domain.toUpperCase()}${dot} `], `${sub}.${domain}`, at)).toBe(true);
      }),
    );
  });

  test("a name never covers one that only ends in the same letters", () => {
    fc.assert(
      fc.property(name, label, port, (domain, prefix, at) => {
        expect(goesDirect([domain], `${prefix}${domain}`, at)).toBe(false);
      }),
    );
  });

  test("a rule with a port covers that port alone", () => {
    fc.assert(
      fc.property(name, port, port, (host, ruled, at) => {
        expect(goesDirect([`${host}:${ruled}`], host, at)).toBe(ruled === at);
      }),
    );
  });

  test("more rules never take a destination away", () => {
    fc.assert(
      fc.property(fc.array(name), fc.array(name), name, port, (some, more, host, at) => {
        if (goesDirect(some, host, at)) expect(goesDirect([...more, ...some], host, at)).toBe(true);
      }),
    );
  });

  test("nothing in a list makes it throw", () => {
    fc.assert(fc.property(fc.array(fc.string()), name, port, (rules, host, at) => void goesDirect(rules, host, at)));
  });
});
