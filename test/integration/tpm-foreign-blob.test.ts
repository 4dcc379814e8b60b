import { createHmac, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { RootKeys } from "../../src/keys/tpm/root-keys.ts";
import { TpmIdentity } from "../../src/keys/tpm/tpm-identity.ts";
import { Swtpm } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";
import { tpmAt } from "../support/tpm-at.ts";

/** What DPS does, each step by one of tpm2-tools, in a TPM of its own. */
class ToolService {
  readonly #tpm: Swtpm;

  constructor(tpm: Swtpm) {
    this.#tpm = tpm;
  }

  /** A blob that brings `key` to the TPM with these root keys. */
  async blob({ endorsementKey, storageRootKey }: RootKeys, key: Uint8Array): Promise<Buffer> {
    await this.#write("ek.pub", endorsementKey);
    await this.#write("srk.pub", storageRootKey);
    await this.#write("key", key);
    await this.#write("inner", randomBytes(16));
    await this.#takeIn();
    await this.#duplicate();
    const nameOfParent = await this.#read("srk.name");
    const credential = ["-u", "ek.pub", "-s", "inner", "-n", nameOfParent.toString("hex"), "-o", "credential"];
    await this.#tpm.tool("tpm2_makecredential", "-T", "none", ...credential);
    // The credential stands behind the tools' own envelope of eight bytes.
    const parts = [(await this.#read("credential")).subarray(8)];
    for (const name of ["duplicate", "seed", "key.pub"]) parts.push(await this.#read(name));
    return Buffer.concat([...parts, Buffer.from("0000", "hex")]);
  }

  /** Makes the key one of this TPM, with leave to be duplicated. */
  async #takeIn(): Promise<void> {
    await this.#do("tpm2_createprimary", "-C", "o", "-c", "primary.ctx");
    await this.#inSession([], "-L", "duplication.policy");
    const attributes = ["-L", "duplication.policy", "-a", "sign|userwithauth|noda"];
    const files = ["-i", "key", "-u", "key.pub", "-r", "key.priv"];
    await this.#do("tpm2_import", "-C", "primary.ctx", "-G", "hmac", ...files, ...attributes);
    await this.#do("tpm2_load", "-C", "primary.ctx", "-u", "key.pub", "-r", "key.priv", "-c", "key.ctx");
  }

  /** Wraps the key for the other TPM's storage root key. */
  async #duplicate(): Promise<void> {
    await this.#do("tpm2_loadexternal", "-C", "n", "-u", "srk.pub", "-c", "parent.ctx", "-n", "srk.name");
    await this.#inSession(["--policy-session"], "-L", "unused.policy");
    const wrapping = ["-G", "aes", "-i", "inner", "-p", "session:session"];
    const files = ["-r", "duplicate", "-s", "seed"];
    await this.#do("tpm2_duplicate", "-C", "parent.ctx", "-c", "key.ctx", ...wrapping, ...files);
    await this.#tpm.tool("tpm2_flushcontext", "session");
  }

  async #inSession(kind: readonly string[], ...options: readonly string[]): Promise<void> {
    await this.#tpm.tool("tpm2_startauthsession", ...kind, "-S", "session");
    await this.#tpm.tool("tpm2_policycommandcode", "-S", "session", ...options, "TPM2_CC_Duplicate");
    if (kind.length === 0) await this.#tpm.tool("tpm2_flushcontext", "session");
  }

  /** Without a resource manager, each tool leaves what it loaded. */
  async #do(tool: string, ...args: readonly string[]): Promise<void> {
    await this.#tpm.tool(tool, ...args);
    await this.#tpm.tool("tpm2_flushcontext", "-t");
  }

  #read(name: string): Promise<Buffer> {
    return readFile(this.#tpm.file(name));
  }

  #write(name: string, bytes: Uint8Array): Promise<void> {
    return writeFile(this.#tpm.file(name), bytes);
  }
}

describe.skipIf(lacks("swtpm") || lacks("tpm2_getcap"))("a blob that tpm2-tools made", () => {
  const swtpm = new Swtpm();
  const service = new ToolService(new Swtpm());

  test("is taken in, for a registration and for a hub", async () => {
    await using identity = new TpmIdentity({ tpm: tpmAt(swtpm.location) });
    const [key, bytes] = [randomBytes(32), randomBytes(100)];
    const blob = await service.blob(await identity.rootKeys(), key);
    const signature = createHmac("sha256", key).update(bytes).digest();
    expect(await (await identity.activateForRegistration(blob)).sign(bytes)).toEqual(signature);
    expect(await (await identity.activateForHub(blob)).sign(bytes)).toEqual(signature);
    expect(await swtpm.leftovers()).toBe("");
  });
});
