import { createHmac, randomBytes } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RootKeys } from "../../src/keys/tpm/root-keys.ts";
import { Tpm } from "../../src/keys/tpm/tpm.ts";
import { TpmIdentity } from "../../src/keys/tpm/tpm-identity.ts";
import { DoctoredDevice } from "../support/doctored-device.ts";
import { Swtpm } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";
import { openerAt } from "../support/tpm-at.ts";
import { blobOffsets, makeBlob } from "../support/tpm-blob.ts";

const longText = Buffer.alloc(3000, "a");
const signatureOf = (key: Uint8Array): Buffer => createHmac("sha256", key).update(longText).digest();

describe.skipIf(lacks("swtpm"))("a TPM in trouble", () => {
  const swtpm = new Swtpm();
  let device: DoctoredDevice;
  let identity: TpmIdentity;
  let roots: RootKeys;
  let hubKey: Buffer;

  /** A blob for this TPM. */
  const blobOf = (key: Uint8Array): Buffer => makeBlob({ ...roots, key });

  /** Everything that a registration asks of a TPM: evidence, the challenge, the key for the hub, a long signature. */
  const wholeLife = async (signal?: AbortSignal): Promise<Buffer> => {
    await identity.rootKeys({ signal });
    const challenge = await identity.activateForRegistration(blobOf(randomBytes(32)), { signal });
    await challenge.sign(Buffer.from("to DPS"), { signal });
    const key = randomBytes(32);
    const signer = await identity.activateForHub(blobOf(key), { signal });
    hubKey = key;
    expect(await signer.sign(longText, { signal })).toEqual(signatureOf(key));
    return key;
  };

  beforeAll(() => {
    device = new DoctoredDevice(openerAt(swtpm.location));
    identity = new TpmIdentity({ tpm: new Tpm({ open: device.open }) });
  });
  beforeEach(async () => {
    device.reset();
    roots = await identity.rootKeys();
    await wholeLife();
  });

  /** How many commands {@link wholeLife} takes when nothing goes wrong. */
  const countCommands = async (): Promise<number> => {
    device.reset();
    await wholeLife();
    const count = device.sent.length;
    device.reset();
    return count;
  };

  test("that dies in the middle of any command is an error with a name, and serves again when it is back", async () => {
    const count = await countCommands();
    expect(count).toBeGreaterThan(25);
    for (let fatal = 1; fatal <= count; fatal++) {
      device.reset();
      device.intercept = async ({ number, pass }) => {
        if (number !== fatal) return pass();
        const [answer] = await Promise.allSettled([pass(), swtpm.kill()]);
        if (answer.status === "rejected") throw answer.reason;
        // It was faster than its death; nobody hears the answer.
        return pass();
      };
      await expect(wholeLife(), `command ${fatal}`).rejects.toMatchObject({ code: "tpm.unavailable" });
      expect(device.lines).toBe(0);
      device.reset();
      await swtpm.start();
      await wholeLife();
    }
    expect(await swtpm.leftovers()).toBe("");
  });

  test("is left clean by an abort in the middle of any command, which is told at once", async () => {
    const count = await countCommands();
    const reason = new Error("enough");
    for (let last = 1; last <= count; last++) {
      const abort = new AbortController();
      device.reset();
      device.intercept = async ({ number, pass }) => {
        if (number === last) abort.abort(reason);
        return pass();
      };
      await expect(wholeLife(abort.signal), `command ${last}`).rejects.toBe(reason);
    }
    device.reset();
    await wholeLife();
    expect(await swtpm.leftovers()).toBe("");
    expect(device.lines).toBe(0);
  });

  test("is left clean when it refuses any command", async () => {
    const count = await countCommands();
    for (let refused = 1; refused <= count; refused++) {
      device.reset();
      // TPM_RC_FAILURE
      const failure = Buffer.from("80010000000a00000101", "hex");
      device.intercept = ({ number, pass }) => (number === refused ? Promise.resolve(failure) : pass());
      // Nobody has asked for the last flush, so nobody is told of its failure; it is tried again.
      await wholeLife().catch((error) => expect(error.code).toMatch(/^tpm\.(refused|activation-failed)$/));
    }
    device.reset();
    await wholeLife();
    expect(await swtpm.leftovers()).toBe("");
  });

  describe("with a blob that is not for it", () => {
    const sizes = 2;
    const regions: readonly (readonly [name: string, offset: number])[] = [
      ...Object.entries(blobOffsets)
        .filter(([name]) => name !== "trailer")
        .flatMap(([name, offset]) => [
          [`the size of ${name}`, offset] as const,
          [`the size of ${name}, low byte`, offset + 1] as const,
          [`the first byte of ${name}`, offset + sizes] as const,
        ]),
      ["the credential's integrity", blobOffsets.identityObject + 4],
      ["the credential's identity", blobOffsets.identityObject + 40],
      ["the credential's last byte", blobOffsets.credentialSeed - 1],
      ["the middle of the credential's seed", blobOffsets.credentialSeed + 130],
      ["the duplicate's integrity", blobOffsets.duplicate + 10],
      ["the duplicate's sensitive part", blobOffsets.duplicate + 60],
      ["the duplicate's last byte", blobOffsets.duplicateSeed - 1],
      ["the middle of the duplicate's seed", blobOffsets.duplicateSeed + 130],
      ["the key's type", blobOffsets.publicArea + 3],
      ["the key's attributes", blobOffsets.publicArea + 7],
      ["the key's policy", blobOffsets.publicArea + 20],
      ["the key's scheme", blobOffsets.publicArea + 45],
      ["the key's unique value", blobOffsets.trailer - 1],
    ];

    test.each(regions)("altered in %s, keeps its key and says so", async (_, offset) => {
      const blob = blobOf(randomBytes(32));
      blob[offset] = (blob[offset] ?? 0) ^ 0x01;
      await expect(identity.activateForHub(blob)).rejects.toMatchObject({ code: "tpm.activation-failed" });
      await expect(identity.activateForRegistration(blob)).rejects.toMatchObject({ code: "tpm.activation-failed" });
      expect(await identity.hubSigner().sign(longText)).toEqual(signatureOf(hubKey));
    });

    test("takes one that is altered where nothing is protected and nothing is used", async () => {
      const key = randomBytes(32);
      const blob = blobOf(key);
      blob[blobOffsets.trailer + 3] = 0xff;
      expect(await (await identity.activateForHub(blob)).sign(longText)).toEqual(signatureOf(key));
    });

    test("takes none that is cut off, at whatever length, and does not bother the TPM", async () => {
      const blob = blobOf(randomBytes(32));
      device.reset();
      for (let length = 0; length < blob.length; length++) {
        // The last part is of no use and may be missing; then this is the whole blob.
        if (length === blobOffsets.trailer) continue;
        const cut = identity.activateForHub(blob.subarray(0, length));
        await expect(cut, `${length} bytes`).rejects.toMatchObject({ code: "tpm.activation-failed" });
      }
      expect(device.sent).toEqual([]);
    });

    test.each(["endorsementKey", "storageRootKey"] as const)("made for another %s", async (which) => {
      const other = Buffer.from(roots[which]);
      other.set(randomBytes(200), other.length - 200);
      other[other.length - 1] = (other.at(-1) ?? 0) | 1;
      const blob = makeBlob({ ...roots, [which]: other, key: randomBytes(32) });
      await expect(identity.activateForHub(blob)).rejects.toMatchObject({ code: "tpm.activation-failed" });
      expect(await swtpm.leftovers()).toBe("");
    });
  });

  test("that was cleared between challenge and answer says so, and starts over", async () => {
    const blob = blobOf(randomBytes(32));
    const challenge = await identity.activateForRegistration(blobOf(randomBytes(32)));
    await swtpm.tool("tpm2_clear");
    await expect(identity.activateForRegistration(blob)).rejects.toMatchObject({ code: "tpm.activation-failed" });
    await expect(challenge.sign(longText)).rejects.toMatchObject({ code: "tpm.activation-failed" });
    await expect(identity.hubSigner().sign(longText)).rejects.toMatchObject({ code: "tpm.identity-missing" });
    const { endorsementKey, storageRootKey } = roots;
    roots = await identity.rootKeys();
    expect(roots.endorsementKey).toEqual(endorsementKey);
    expect(roots.storageRootKey).not.toEqual(storageRootKey);
    await wholeLife();
    expect(await swtpm.leftovers()).toBe("");
  });

  test("in lockout serves on, since none of these keys counts wrong passwords", async () => {
    await swtpm.tool("tpm2_dictionarylockout", "--setup-parameters", "--max-tries=1", "--recovery-time=9999");
    await swtpm.tool("tpm2_createprimary", "-C", "o", "-c", "parent.ctx", "-p", "right");
    await swtpm.tool("tpm2_flushcontext", "-t");
    const guess = () => swtpm.tool("tpm2_create", "-C", "parent.ctx", "-P", "wrong", "-u", "u", "-r", "r");
    await expect(guess()).rejects.toThrow();
    await swtpm.tool("tpm2_flushcontext", "-t");
    const inLockout = await swtpm.tool("tpm2_getcap", "properties-variable");
    expect(inLockout).toMatch(/inLockout:\s+1/);
    await wholeLife();
    await swtpm.tool("tpm2_dictionarylockout", "--clear-lockout");
    expect(await swtpm.leftovers()).toBe("");
  });

  test.each([
    ["lockout", "921", "tpm.locked-out"],
    ["no room for objects", "902", "tpm.out-of-memory"],
    ["a wrong password", "9a2", "tpm.wrong-password"],
    ["no such command", "143", "tpm.refused"],
  ])("that answers %s to the first command of an activation is told apart", async (_, code, expected) => {
    device.reset();
    const answer = Buffer.from(`80010000000a00000${code}`, "hex");
    device.intercept = ({ number, pass }) => (number === 1 ? Promise.resolve(answer) : pass());
    await expect(identity.activateForHub(blobOf(randomBytes(32)))).rejects.toMatchObject({ code: expected });
    device.reset();
    expect(await swtpm.leftovers()).toBe("");
  });
});
