import { describe, expect, test } from "vitest";
import { type ConnectToRule, redirect } from "../../../src/endpoint/connect-to.ts";

const rule = (parts: Partial<ConnectToRule>): ConnectToRule => ({ text: "as written", ...parts });

describe("connect_to", () => {
  test("replaces host and port of the one destination it names", () => {
    const rules = [rule({ fromHost: "hub.test", fromPort: 8883, toHost: "127.0.0.1", toPort: 1 })];
    expect(redirect(rules, "hub.test", 8883)).toEqual({ host: "127.0.0.1", port: 1, rule: rules[0] });
    expect(redirect(rules, "hub.test", 443)).toBeUndefined();
    expect(redirect(rules, "other.test", 8883)).toBeUndefined();
  });

  test("takes the first rule that matches", () => {
    const rules = [rule({ fromHost: "hub.test", toPort: 1 }), rule({ toPort: 2 })];
    expect(redirect(rules, "hub.test", 443)?.port).toBe(1);
    expect(redirect(rules, "other.test", 443)?.port).toBe(2);
  });

  test("keeps what a rule leaves empty on its right side", () => {
    expect(redirect([rule({ toHost: "tunnel.test" })], "hub.test", 443)).toMatchObject({
      host: "tunnel.test",
      port: 443,
    });
    expect(redirect([rule({ toPort: 5 })], "hub.test", 443)).toMatchObject({ host: "hub.test", port: 5 });
  });

  test("compares names without regard to case", () => {
    expect(redirect([rule({ fromHost: "HUB.test", toPort: 5 })], "hub.TEST", 443)?.port).toBe(5);
  });
});
