import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { dpsRoutes } from "../../src/emulator/https/dps-routes.ts";
import { judgeIdentity } from "../../src/emulator/hub/identity-check.ts";
import { answerOf, askRoutes } from "../support/ask-routes.ts";
import { EmulatedDps } from "../support/emulated-dps.ts";
import { Swtpm } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";

const handles = { endorsement: "0x81010001", storageRoot: "0x81000001", identity: "0x81000100" };
const storageAttributes = "restricted|decrypt|fixedtpm|fixedparent|noda|userwithauth|sensitivedataorigin";

/** Base64 of two `TPM2B_PUBLIC`. */
interface TpmPublicKeys {
  readonly endorsementKey: string;
  readonly storageRootKey: string;
}

/** What a device with a TPM does, each step by one of tpm2-tools. */
class ToolDevice {
  readonly #tpm: Swtpm;

  constructor(tpm: Swtpm) {
    this.#tpm = tpm;
  }

  /** Makes both keys and leaves them where clients look for them. */
  async keys(): Promise<TpmPublicKeys> {
    await this.#tpm.tool("tpm2_createek", "-c", handles.endorsement, "-G", "rsa", "-u", "ek.pub");
    const primary = ["-C", "o", "-g", "sha256", "-G", "rsa2048:aes128cfb", "-a", storageAttributes, "-c", "srk.ctx"];
    await this.#tpm.tool("tpm2_createprimary", ...primary);
    await this.#persist("srk.ctx", handles.storageRoot);
    await this.#tpm.tool("tpm2_readpublic", "-c", handles.storageRoot, "-o", "srk.pub");
    const [endorsementKey, storageRootKey] = [await this.#read("ek.pub"), await this.#read("srk.pub")];
    return { endorsementKey: endorsementKey.toString("base64"), storageRootKey: storageRootKey.toString("base64") };
  }

  /** Takes the key of a blob in, in place of the one that is there. */
  async activate(blobText: unknown): Promise<void> {
    const blob = Buffer.from(String(blobText), "base64");
    const [id, idSecret, duplicate, seed, publicArea] = sizedParts(blob) as [Buffer, Buffer, Buffer, Buffer, Buffer];
    // The tools' own envelope for a credential: a magic number and a version.
    await this.#write("credential", Buffer.from("badcc0de00000001", "hex"), id, idSecret);
    await this.#tpm.tool("tpm2_startauthsession", "--policy-session", "-S", "session");
    await this.#tpm.tool("tpm2_policysecret", "-S", "session", "-c", "e");
    const bound = ["-c", handles.storageRoot, "-C", handles.endorsement, "-P", "session:session"];
    await this.#tpm.tool("tpm2_activatecredential", ...bound, "-i", "credential", "-o", "inner");
    await this.#tpm.tool("tpm2_flushcontext", "session");
    await this.#write("duplicate", duplicate);
    await this.#write("seed", seed);
    await this.#write("public", publicArea);
    const files = ["-i", "duplicate", "-u", "public", "-s", "seed", "-k", "inner", "-r", "private"];
    await this.#tpm.tool("tpm2_import", "-C", handles.storageRoot, ...files);
    await this.#tpm.tool("tpm2_load", "-C", handles.storageRoot, "-u", "public", "-r", "private", "-c", "identity.ctx");
    if (await this.#hasIdentity()) await this.#tpm.tool("tpm2_evictcontrol", "-C", "o", "-c", handles.identity);
    await this.#persist("identity.ctx", handles.identity);
  }

  /** A token for `resource`, signed with that key. */
  async token(resource: string, expiresAtMs: number, tail = ""): Promise<string> {
    const [sr, se] = [encodeURIComponent(resource), Math.ceil(expiresAtMs / 1000)];
    await this.#write("text", Buffer.from(`${sr}\n${se}`));
    const signature = await this.#tpm.tool("tpm2_hmac", "-c", handles.identity, "--hex", "text");
    const sig = encodeURIComponent(Buffer.from(signature.trim(), "hex").toString("base64"));
    return `SharedAccessSignature sr=${sr}&sig=${sig}&se=${se}${tail}`;
  }

  async #persist(context: string, handle: string): Promise<void> {
    await this.#tpm.tool("tpm2_evictcontrol", "-C", "o", "-c", context, handle);
    await this.#tpm.tool("tpm2_flushcontext", "-t");
  }

  async #hasIdentity(): Promise<boolean> {
    return (await this.#tpm.tool("tpm2_getcap", "handles-persistent")).includes(handles.identity);
  }

  #read(name: string): Promise<Buffer> {
    return readFile(this.#tpm.file(name));
  }

  #write(name: string, ...parts: readonly Buffer[]): Promise<void> {
    return writeFile(this.#tpm.file(name), Buffer.concat(parts));
  }
}

/** Byte strings one after the other, each with its size in front, which stays there. */
function sizedParts(bytes: Buffer): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at);
    parts.push(bytes.subarray(at, end));
    at = end;
  }
  return parts;
}

/** The whole way of a device that the emulator has enrolled; resolves with its keys once the hub would let it in. */
async function provision(device: ToolDevice, emulated: EmulatedDps): Promise<TpmPublicKeys> {
  const tpm = await device.keys();
  if (emulated.dps.enrollments.length === 0) {
    const attestation = { method: "tpm", endorsementKey: tpm.endorsementKey } as const;
    emulated.dps.enroll({ registrationId: "press-07", attestation, hubs: ["hub-a"] });
  }
  const ask = (method: "GET" | "PUT", path: string, token?: string) => {
    const line = `${method} /0ne00ABCDEF/registrations/press-07/${path}?api-version=2021-06-01` as const;
    const body = method === "PUT" ? JSON.stringify({ registrationId: "press-07", tpm }) : "";
    const headers = token === undefined ? {} : { authorization: token };
    return answerOf(askRoutes(dpsRoutes(emulated.dps), line, { headers, body }));
  };
  const nowMs = emulated.clock.now();
  const expiresAtMs = nowMs + 3_600_000;

  await device.activate(ask("PUT", "register").json.authenticationKey);
  const token = await device.token("0ne00ABCDEF/registrations/press-07", expiresAtMs, "&skn=registration");
  const accepted = ask("PUT", "register", token);
  expect(accepted.status).toBe(202);
  const { registrationState } = ask("GET", `operations/${accepted.json.operationId}`, token).json as {
    readonly registrationState: { readonly assignedHub: string; readonly tpm: { readonly authenticationKey: string } };
  };
  expect(registrationState).toMatchObject({ status: "assigned", deviceId: "press-07" });

  const { assignedHub } = registrationState;
  await device.activate(registrationState.tpm.authenticationKey);
  const sasToken = await device.token(`${assignedHub}/devices/press-07`, expiresAtMs);
  const atHub = emulated.hubs[0]?.registry.get("press-07");
  const evidence = { sasToken, certificates: [], hosts: [assignedHub], nowMs };
  expect(atHub && judgeIdentity(atHub, evidence)).toMatchObject({ ok: true });
  return tpm;
}

describe.skipIf(lacks("swtpm") || lacks("tpm2_getcap"))("tpm2-tools over swtpm", () => {
  const swtpm = new Swtpm();
  const device = new ToolDevice(swtpm);

  test("come in by the emulator's blobs, and again after the TPM was cleared", async () => {
    const emulated = new EmulatedDps({ assigningPolls: 0 });
    const before = await provision(device, emulated);
    // Takes all keys with it and the seed of the storage root key, but not that of the endorsement key.
    await swtpm.tool("tpm2_clear", "-c", "p");
    const after = await provision(device, emulated);
    expect(after.endorsementKey).toBe(before.endorsementKey);
    expect(after.storageRootKey).not.toBe(before.storageRootKey);
  });
});
