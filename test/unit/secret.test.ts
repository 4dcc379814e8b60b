import { inspect } from "node:util";
import { expect, test } from "vitest";
import { Secret } from "../../src/secret.ts";

test("a secret prints as [secret] wherever it is put", () => {
  const secret = new Secret("hunter2");
  const shown = [`${secret}`, JSON.stringify({ secret }), inspect({ secret }, { depth: 9, showHidden: true })];
  for (const text of shown) expect(text).not.toContain("hunter2");
  expect(`${secret}`).toBe("[secret]");
  expect(secret.reveal()).toBe("hunter2");
});
