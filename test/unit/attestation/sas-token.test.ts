import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sasCredential } from "../../../src/attestation/sas-token.ts";
import type { Signer } from "../../../src/keys/signer.ts";
import { SymmetricKey } from "../../../src/keys/symmetric-key.ts";
import { Secret } from "../../../src/secret.ts";

interface Vector {
  readonly name: string;
  readonly key: string;
  readonly resource: string;
  readonly keyName?: string;
  readonly expiresAtSeconds: number;
  readonly token: string;
}

const vectors = JSON.parse(readFileSync("test/vectors/sas.json", "utf8")) as { readonly written: readonly Vector[] };
const keyBytes = Buffer.alloc(32, 7);
const credential = sasCredential(SymmetricKey.fromBytes(keyBytes));

describe("a shared access signature token", () => {
  test.each(vectors.written)("is as others compute it: $name", async ({ key, token, expiresAtSeconds, ...request }) => {
    const credential = sasCredential(SymmetricKey.parse(new Secret(key)));
    const written = await credential.token({ ...request, expiresAtMs: expiresAtSeconds * 1000 });
    expect(written.text.reveal()).toBe(token);
  });

  test("never lives longer than was asked for, and says how long", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 4_102_444_800_000 }), async (expiresAtMs) => {
        const token = await credential.token({ resource: "hub/devices/d", expiresAtMs });
        const expiry = Number(new URLSearchParams(token.text.reveal().split(" ")[1]).get("se"));
        expect(expiry * 1000).toBe(token.expiresAtMs);
        expect(token.expiresAtMs).toBeLessThanOrEqual(expiresAtMs);
        expect(token.expiresAtMs).toBeGreaterThan(expiresAtMs - 1000);
      }),
    );
  });

  test("can be read back by any parser of query strings, and is signed over its resource as written", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), fc.option(fc.string()), async (resource, keyName) => {
        const request = { resource, expiresAtMs: 1_767_225_600_000, ...(keyName === null ? {} : { keyName }) };
        const text = (await credential.token(request)).text.reveal();
        const [scheme, fields = ""] = text.split(" ");
        const parsed = new URLSearchParams(fields);
        expect(scheme).toBe("SharedAccessSignature");
        expect([...parsed.keys()]).toEqual(["sr", "sig", "se", ...(keyName === null ? [] : ["skn"])]);
        expect(parsed.get("sr")).toBe(resource);
        expect(parsed.get("skn")).toBe(keyName);
        const written = /sr=([^&]*)/.exec(fields)?.[1];
        const signature = createHmac("sha256", keyBytes).update(`${written}\n1767225600`).digest("base64");
        expect(parsed.get("sig")).toBe(signature);
      }),
    );
  });

  test("is never shown", async () => {
    const token = await credential.token({ resource: "hub/devices/d", expiresAtMs: 0 });
    expect(inspect(token)).not.toContain("sig=");
    expect(JSON.stringify(token)).not.toContain("sig=");
  });

  test("waits for its signer, which gets the signal and whose error is the token's", async () => {
    const failure = new Error("the token is gone");
    const asked: unknown[] = [];
    const broken: Signer = {
      async sign(_, options) {
        asked.push(options?.signal);
        throw failure;
      },
    };
    const { signal } = new AbortController();
    const request = { resource: "hub/devices/d", expiresAtMs: 0 };
    await expect(sasCredential(broken).token(request, { signal })).rejects.toBe(failure);
    expect(asked).toEqual([signal]);
  });

  test("is not written once its signal is aborted", async () => {
    const reason = new Error("no longer wanted");
    const request = { resource: "hub/devices/d", expiresAtMs: 0 };
    await expect(credential.token(request, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
