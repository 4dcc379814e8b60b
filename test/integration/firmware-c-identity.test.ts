import { createHash, createHmac, randomBytes, verify, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { CborMap } from "../../src/serial/cbor.ts";
import { describeOnBoards, refusal } from "../support/firmware-bench.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { testAuthority } from "../support/tls-peer.ts";

const folder = new ScratchFolder();
const sasVectors = JSON.parse(readFileSync(new URL("../vectors/sas.json", import.meta.url), "utf8")) as {
  written: { name: string; key: string; token: string }[];
};

const key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

async function identityFiles() {
  const authority = await testAuthority();
  const issued = await authority.issue({ commonName: "sensor-17", usage: "client" });
  return {
    issued,
    identity: {
      rid: "sensor-17",
      key: await folder.write("key", key),
      p256: await folder.write("key.pem", issued.privateKeyPem),
      cert: await folder.write("chain.pem", issued.chainPem),
    },
  };
}

describeOnBoards("identity", (start) => {
  test("is named; tokens are to the letter what the vectors have", async () => {
    const { identity } = await identityFiles();
    const bench = await start(identity);
    expect(await bench.read(70, 0)).toEqual({ rid: "sensor-17", kinds: ["sas", "p256"], life: 86_400, boot: 1 });
    const tokens = [
      { for: "dps", scope: "0ne00ABCDEF", now: 1767222000, exp: 1767225600 },
      { for: "hub", scope: "plant-1.azure-devices.net", now: 1798758000, exp: 1798761600 },
    ].map(async (request) => (await bench.write(70, 1, request)).token);
    const expected = ["DPS, a key of 64 bytes", "hub, no key name"];
    expect(await Promise.all(tokens)).toEqual(
      expected.map((name) => sasVectors.written.find((each) => each.name === name)?.token),
    );
  });

  test("signs for another device id at the hub, whatever its characters", async () => {
    const { identity } = await identityFiles();
    const bench = await start(identity);
    const dev = "a:b@c=d#e%f+g,h;i$j?k'*()!°";
    const { token } = await bench.write(70, 1, { for: "hub", scope: "h.example", dev, now: 10, exp: 20 });
    const fields = new URLSearchParams((token as string).replace("SharedAccessSignature ", ""));
    expect(fields.get("sr")).toBe(`h.example/devices/${dev}`);
    const signedText = `${/sr=([^&]*)/.exec(token as string)?.[1]}\n20`;
    expect(fields.get("sig")).toBe(
      createHmac("sha256", Buffer.from(key, "base64")).update(signedText).digest("base64"),
    );
  });

  test("refuses a long life, a past expiry, a token without end, and what it cannot do", async () => {
    const { identity } = await identityFiles();
    const bench = await start({ ...identity, life: "3600" });
    const ask = (change: CborMap) =>
      refusal(bench.write(70, 1, { for: "dps", scope: "0ne", now: 1000, exp: 1000 + 3600, ...change }));
    expect(await ask({})).toBe("no refusal");
    expect(await ask({ exp: 1000 + 3601 })).toEqual({ group: 70, rc: 3 });
    expect(await ask({ exp: 1000 })).toEqual({ group: 70, rc: 3 });
    expect(await ask({ for: "all" })).toEqual({ group: 70, rc: 3 });
    expect(await ask({ scope: "" })).toEqual({ group: 70, rc: 3 });
    expect(await ask({ scope: "/".repeat(200) })).toEqual({ group: 70, rc: 7 });
    expect(await refusal(bench.write(70, 4, { id: 1, off: 0, len: 1, data: Uint8Array.of(1) }))).toEqual({ rc: 8 });
  });

  test("gives its chain in pieces, and signs digests that its certificate verifies, not without end", async () => {
    const { identity, issued } = await identityFiles();
    const bench = await start(identity);
    const chain: Uint8Array[] = [];
    for (let off = 0, len = 1; off < len; ) {
      const piece = await bench.read(70, 2, { off });
      chain.push(piece.data as Uint8Array);
      off += (piece.data as Uint8Array).length;
      len = piece.len as number;
    }
    const certificate = new X509Certificate(Buffer.concat(chain));
    expect(certificate.raw).toEqual(new X509Certificate(issued.chainPem).raw);

    const sign = async (text: string) =>
      (await bench.write(70, 3, { hash: createHash("sha256").update(text).digest() })).sig as Uint8Array;
    const signatures = [await sign("a"), await sign("b")];
    expect(
      signatures.map((each, i) => verify("sha256", Buffer.from("ab"[i] as string), certificate.publicKey, each)),
    ).toEqual([true, true]);
    // The nonce comes from key and digest alone.
    expect(await sign("a")).toEqual(signatures[0]);
    for (let i = 3; i < 10; i++) await sign("c");
    expect(await refusal(sign("d"))).toEqual({ group: 70, rc: 10 });
  });

  test("without a page it is nobody", async () => {
    const bench = await start();
    expect(await bench.read(70, 0)).toMatchObject({ rid: "unprovisioned", kinds: [] });
    expect(await refusal(bench.write(70, 3, { hash: randomBytes(32) }))).toEqual({ group: 70, rc: 8 });
    expect(await refusal(bench.read(70, 2, { off: 0 }))).toEqual({ group: 70, rc: 5 });
  });
});
