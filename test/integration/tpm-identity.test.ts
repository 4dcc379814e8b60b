import { createHmac, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TpmKeyTemplate } from "../../src/config/settings.ts";
import { isLandfallError } from "../../src/errors.ts";
import type { RootKeys } from "../../src/keys/tpm/root-keys.ts";
import { Tpm } from "../../src/keys/tpm/tpm.ts";
import { TpmIdentity } from "../../src/keys/tpm/tpm-identity.ts";
import { Secret } from "../../src/secret.ts";
import { DoctoredDevice } from "../support/doctored-device.ts";
import { Swtpm } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";
import { openerAt, tpmAt } from "../support/tpm-at.ts";
import { makeBlob } from "../support/tpm-blob.ts";

const evictControl = 0x120;

const identityAt = (swtpm: Swtpm, template?: TpmKeyTemplate): TpmIdentity =>
  new TpmIdentity({ tpm: tpmAt(swtpm.location), template });

const expected = (key: Uint8Array, bytes: Uint8Array): Buffer => createHmac("sha256", key).update(bytes).digest();

describe.skipIf(lacks("swtpm"))("the identity that a TPM gives", () => {
  describe("on a blank TPM", () => {
    const swtpm = new Swtpm();

    test("is not made by who only looks", async () => {
      await using identity = new TpmIdentity({ tpm: tpmAt(swtpm.location), readOnly: true });
      await expect(identity.rootKeys()).rejects.toMatchObject({ code: "tpm.root-key-missing" });
      expect(await swtpm.tool("tpm2_getcap", "handles-persistent")).toBe("");
    });

    test("is made once and stays", async () => {
      await using first = identityAt(swtpm);
      const made = await first.rootKeys();
      expect([made.endorsementKey.length, made.storageRootKey.length]).toEqual([316, 284]);
      await swtpm.restart();
      // What is there is used, whatever template is asked for.
      await using second = identityAt(swtpm, "azure");
      expect(await second.rootKeys()).toEqual(made);
      expect(await swtpm.tool("tpm2_getcap", "handles-persistent")).toBe("- 0x81000001\n- 0x81010001\n");
      expect(await swtpm.leftovers()).toBe("");
    });

    test("is the key that tpm2-tools make by the template of the TCG", async () => {
      const { endorsementKey } = await identityAt(swtpm).rootKeys();
      await swtpm.tool("tpm2_createek", "-c", "ek.ctx", "-G", "rsa", "-u", "ek.pub", "-f", "pem");
      await swtpm.tool("tpm2_flushcontext", "-t");
      await swtpm.tool("tpm2_readpublic", "-c", "0x81010001", "-f", "pem", "-o", "ours.pub");
      expect(await readFile(swtpm.file("ours.pub"), "utf8")).toBe(await readFile(swtpm.file("ek.pub"), "utf8"));
      expect(endorsementKey.subarray(0, 8).toString("hex")).toBe("013a0001000b0003");
    });

    test("differs by template", async () => {
      const { endorsementKey } = await identityAt(swtpm).rootKeys();
      await swtpm.tool("tpm2_evictcontrol", "-C", "o", "-c", "0x81010001");
      const azure = await identityAt(swtpm, "azure").rootKeys();
      expect(azure.endorsementKey).not.toEqual(endorsementKey);
      await swtpm.tool("tpm2_evictcontrol", "-C", "o", "-c", "0x81010001");
      expect((await identityAt(swtpm).rootKeys()).endorsementKey).toEqual(endorsementKey);
    });
  });

  describe("on a TPM that its vendor set up", () => {
    const swtpm = new Swtpm({ withEndorsementKey: true });
    let roots: RootKeys;

    beforeAll(async () => {
      roots = await identityAt(swtpm).rootKeys();
    });

    test("is the vendor's endorsement key", async () => {
      const printed = await swtpm.tool("tpm2_readpublic", "-c", "0x81010001", "-o", "ek.pub");
      expect(printed).toContain("fixedtpm|fixedparent|sensitivedataorigin|adminwithpolicy|restricted|decrypt");
      expect(await readFile(swtpm.file("ek.pub"))).toEqual(roots.endorsementKey);
    });

    test.each([0, 1, 60, 1024, 1025, 2048, 5000])("signs %i bytes with the key of an assignment", async (length) => {
      await using identity = identityAt(swtpm);
      const [key, bytes] = [randomBytes(32), randomBytes(length)];
      const signer = await identity.activateForHub(makeBlob({ ...roots, key }));
      expect(await signer.sign(bytes)).toEqual(expected(key, bytes));
      expect(await identity.hubSigner().sign(bytes)).toEqual(expected(key, bytes));
      expect(await swtpm.leftovers()).toBe("");
    });

    test("keeps the key of the assignment when power fails, and while a registration is under way", async () => {
      await using identity = identityAt(swtpm);
      const [hubKey, nonce, bytes] = [randomBytes(32), randomBytes(32), randomBytes(60)];
      await identity.activateForHub(makeBlob({ ...roots, key: hubKey }));
      await swtpm.restart();
      const challenge = await identity.activateForRegistration(makeBlob({ ...roots, key: nonce, trailer: undefined }));
      expect(await challenge.sign(bytes)).toEqual(expected(nonce, bytes));
      expect(await identity.hubSigner().sign(bytes)).toEqual(expected(hubKey, bytes));
      expect(await swtpm.leftovers()).toBe("");
    });

    test("signs as tpm2-tools do with the same handle", async () => {
      await using identity = identityAt(swtpm);
      await identity.activateForHub(makeBlob({ ...roots, key: randomBytes(32) }));
      const ours = await identity.hubSigner().sign(Buffer.from("a text\n"));
      await writeFile(swtpm.file("text"), "a text\n");
      expect((await swtpm.tool("tpm2_hmac", "-c", "0x81000100", "--hex", "text")).trim()).toBe(
        Buffer.from(ours).toString("hex"),
      );
    });

    describe("exchanges the key of an assignment", () => {
      const bytes = Buffer.from("a token to sign");
      const oldKey = randomBytes(32);

      beforeEach(async () => {
        await using identity = identityAt(swtpm);
        await identity.activateForHub(makeBlob({ ...roots, key: oldKey }));
      });

      // Steps: the new key beside the old one, the old one away, the new one in its place, away beside.
      test.each([
        { step: 1, before: "old", after: "new" },
        { step: 2, before: "new", after: "new" },
        { step: 3, before: "new", after: "new" },
        { step: 4, before: "new", after: "new" },
      ])("through a loss of power at step $step of 4", async ({ step, before, after }) => {
        for (const moment of ["before", "after"] as const) {
          const newKey = randomBytes(32);
          const device = new DoctoredDevice(openerAt(swtpm.location));
          await using identity = new TpmIdentity({ tpm: new Tpm({ open: device.open }) });
          await identity.activateForHub(makeBlob({ ...roots, key: oldKey }));
          let evictions = 0;
          device.intercept = async ({ code, pass }) => {
            if (code === evictControl) evictions += 1;
            if (code !== evictControl || evictions !== step) return pass();
            if (moment === "after") await pass();
            await swtpm.kill();
            return pass();
          };
          await expect(identity.activateForHub(makeBlob({ ...roots, key: newKey }))).rejects.toMatchObject({
            code: "tpm.unavailable",
          });
          device.reset();
          await swtpm.start();
          const key = (moment === "before" ? before : after) === "old" ? oldKey : newKey;
          expect(await identity.hubSigner().sign(bytes)).toEqual(expected(key, bytes));
          // And the next exchange finds its way, and leaves one key.
          const next = randomBytes(32);
          await identity.activateForHub(makeBlob({ ...roots, key: next }));
          expect(await identity.hubSigner().sign(bytes)).toEqual(expected(next, bytes));
          expect(await swtpm.tool("tpm2_getcap", "handles-persistent")).not.toContain("0x81000101");
        }
      });

      test("with the old one away first where the TPM has room for one only", async () => {
        const device = new DoctoredDevice(openerAt(swtpm.location));
        let evictions = 0;
        device.intercept = ({ code, pass }) => {
          if (code === evictControl) evictions += 1;
          return code === evictControl && evictions === 1
            ? Promise.resolve(Buffer.from("80010000000a0000014b", "hex"))
            : pass();
        };
        await using identity = new TpmIdentity({ tpm: new Tpm({ open: device.open }) });
        const key = randomBytes(32);
        await identity.activateForHub(makeBlob({ ...roots, key }));
        expect(evictions).toBe(3);
        expect(await identity.hubSigner().sign(bytes)).toEqual(expected(key, bytes));
      });
    });

    test("is told from no key", async () => {
      await swtpm.tool("tpm2_evictcontrol", "-C", "o", "-c", "0x81000100").catch(() => {});
      await using identity = identityAt(swtpm);
      await expect(identity.hubSigner().sign(Buffer.alloc(1))).rejects.toMatchObject({ code: "tpm.identity-missing" });
      expect(await swtpm.leftovers()).toBe("");
    });
  });

  describe("on a TPM with other keys where attestation looks for its own", () => {
    const swtpm = new Swtpm();

    test.each([
      ["storage root key", "o", "0x81000001"],
      ["endorsement key", "e", "0x81010001"],
    ])("says that the %s is one that DPS cannot encrypt for", async (what, hierarchy, handle) => {
      await swtpm.tool("tpm2_clear");
      await swtpm.tool("tpm2_createprimary", "-C", hierarchy, "-G", "ecc", "-c", "ecc.ctx");
      await swtpm.tool("tpm2_evictcontrol", "-C", "o", "-c", "ecc.ctx", handle);
      await swtpm.tool("tpm2_flushcontext", "-t");
      await expect(identityAt(swtpm).rootKeys()).rejects.toMatchObject({
        code: "tpm.unsuitable-key",
        message: expect.stringMatching(`^Expected the ${what} at ${handle} to be .* found a key of type 0x0023.$`),
      });
      expect(await swtpm.leftovers()).toBe("");
    });
  });

  describe("on a TPM with somebody's key where the key of an assignment goes", () => {
    const swtpm = new Swtpm();
    const [key, bytes] = [randomBytes(32), Buffer.from("a token to sign")];
    const blob = async (identity: TpmIdentity) => makeBlob({ ...(await identity.rootKeys()), key });
    const persistent = () => swtpm.tool("tpm2_getcap", "handles-persistent");
    const publicHalf = (handle: string) => swtpm.tool("tpm2_readpublic", "-c", handle);

    beforeEach(async () => {
      await swtpm.tool("tpm2_clear");
      await swtpm.tool("tpm2_createprimary", "-C", "o", "-G", "ecc", "-c", "foreign.ctx");
    });
    const occupy = async (handle: string): Promise<string> => {
      await swtpm.tool("tpm2_evictcontrol", "-C", "o", "-c", "foreign.ctx", handle);
      await swtpm.tool("tpm2_flushcontext", "-t");
      return publicHalf(handle);
    };

    test("leaves it there, and says so", async () => {
      const theirs = await occupy("0x81000100");
      await using identity = identityAt(swtpm);
      await expect(identity.activateForHub(await blob(identity))).rejects.toMatchObject({
        code: "tpm.unsuitable-key",
        message: expect.stringContaining("0x81000100"),
      });
      expect(await publicHalf("0x81000100")).toBe(theirs);
      expect(await persistent()).not.toContain("0x81000101");
      expect(await swtpm.leftovers()).toBe("");
    });

    test("signs and exchanges its own without the place beside, if that is taken", async () => {
      const theirs = await occupy("0x81000101");
      await using identity = identityAt(swtpm);
      await identity.activateForHub(makeBlob({ ...(await identity.rootKeys()), key: randomBytes(32) }));
      const signer = await identity.activateForHub(await blob(identity));
      expect(await signer.sign(bytes)).toEqual(expected(key, bytes));
      expect(await publicHalf("0x81000101")).toBe(theirs);
      expect(await swtpm.leftovers()).toBe("");
    });
  });

  describe("on a TPM with passwords", () => {
    const swtpm = new Swtpm();
    const [owner, endorsement] = ["owner's", "endorsement's"].map((text) => new Secret<Uint8Array>(Buffer.from(text)));

    beforeAll(async () => {
      await swtpm.tool("tpm2_changeauth", "-c", "owner", "owner's");
      await swtpm.tool("tpm2_changeauth", "-c", "endorsement", "endorsement's");
    });

    test("is made, activated and kept with them", async () => {
      await using identity = new TpmIdentity({ tpm: tpmAt(swtpm.location), passwords: { owner, endorsement } });
      const [key, bytes] = [randomBytes(32), randomBytes(100)];
      const signer = await identity.activateForHub(makeBlob({ ...(await identity.rootKeys()), key }));
      expect(await signer.sign(bytes)).toEqual(expected(key, bytes));
    });

    test.each([
      { name: "no endorsement password", passwords: { owner } },
      { name: "another endorsement password", passwords: { owner, endorsement: owner } },
      { name: "no owner password", passwords: { endorsement } },
    ])("asks for them: $name", async ({ passwords }) => {
      await using identity = new TpmIdentity({ tpm: tpmAt(swtpm.location), passwords });
      const blob = makeBlob({ ...(await identity.rootKeys()), key: randomBytes(32) });
      const failure = await identity.activateForHub(blob).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(isLandfallError(failure) && failure.code).toBe("tpm.wrong-password");
      expect(JSON.stringify(failure)).not.toContain("'s");
      expect(await swtpm.leftovers()).toBe("");
    });
  });
});
