import { X509Certificate } from "node:crypto";
import { rename } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Emulator } from "../../src/emulator/index.ts";
import { formatTpmKeyFile } from "../../src/keys/tpm/key-file.ts";
import { signingPublicKey } from "../../src/keys/tpm/signing-key-area.ts";
import { networkOf, writeConfiguration } from "../support/emulated-device.ts";
import { makeTpmKey } from "../support/hardware-tpm.ts";
import { landfall, type RunningProcess, startLandfall } from "../support/landfall-process.ts";
import { OpensslAuthority } from "../support/openssl-authority.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";
import { lacksTokens, SoftToken } from "../support/soft-token.ts";
import { Swtpm } from "../support/swtpm.ts";
import { lacks } from "../support/system-peer.ts";

describe.skipIf(lacksTokens() || ["swtpm", "cc"].some(lacks))("a gateway whose hardware comes after its agent", () => {
  const scratch = new ScratchFolder();
  const swtpm = new Swtpm();
  let token: SoftToken;
  let emulator: Emulator;
  let authority: OpensslAuthority;
  let env: NodeJS.ProcessEnv;
  const certificates: Record<string, string> = {};

  beforeAll(async () => {
    token = await SoftToken.create(scratch, "device");
    authority = await OpensslAuthority.create(scratch, "Factory");
    emulator = await Emulator.start({ assigningPolls: 0, retryAfterSeconds: 1 });
    emulator.dps.enroll({ group: "factory", attestation: { method: "x509", certificate: authority.certificatePem } });
    env = {
      LANDFALL_ENGINES: scratch.file("engines"),
      XDG_RUNTIME_DIR: scratch.path,
      PIN: token.pin,
      WRONG: "995511",
    };
    const built = await landfall(["keys", "engine", "--directory", scratch.file("engines")], { env });
    expect(built).toMatchObject({ code: 0 });
    const key = await makeTpmKey(swtpm, { handle: 0x81010010 });
    await scratch.write("wrapped.pem", formatTpmKeyFile(key));
    const spki = signingPublicKey(key.publicArea, "it").export({ type: "spki", format: "pem" }).toString();
    for (const [name, publicKey] of [
      ["in-tpm", spki],
      ["in-token", await token.makeKey("key", "ec")],
    ] as const) {
      const certificate = await authority.certify(publicKey, name);
      certificates[name] = await scratch.write(`${name}.pem`, certificate);
      if (name === "in-token") await token.writeCertificate("key", new X509Certificate(certificate).raw);
    }
    certificates["beside the key"] = token.uri("key");
  });
  afterAll(() => emulator.close());

  const inTpm = (key = "handle=0x81010010"): string => `tpm:${key};at=${swtpm.location}`;
  const inToken = (object = "key", pin = "PIN"): string => `${token.uri(object)}&pin-source=env:${pin}`;

  const configuration = (name: string, certificate: string, identity_pk: string): Promise<string> =>
    writeConfiguration(scratch, name, {
      provisioning: {
        source: "dps",
        id_scope: emulator.ready.idScope,
        attestation: { method: "x509", identity_cert: certificates[certificate], identity_pk },
      },
      network: networkOf(emulator),
      telemetry: { interval: 0 },
    });
  const run = async (name: string, certificate: string, key: string): Promise<RunningProcess> =>
    startLandfall(["run", "-c", await configuration(name, certificate, key), "--json"], { env });

  /** Told twice, for the first time may have been the last. */
  async function waits(agent: RunningProcess, code: string): Promise<void> {
    for (const time of [1, 2]) {
      const { delayMs, error } = await agent.event("waiting");
      expect([time, delayMs, error]).toEqual([
        time,
        expect.any(Number),
        expect.objectContaining({ code, retry: "backoff", remedy: expect.any(String) }),
      ]);
    }
    expect(agent.err).toMatch(new RegExp(`the key cannot be opened, next attempt in .* code=${code} remedy=`));
  }

  async function comesInAndEnds(agent: RunningProcess, deviceId: string): Promise<void> {
    expect(await agent.event("connected")).toMatchObject({ deviceId });
    agent.kill("SIGTERM");
    expect(await agent.exited).toBe(0);
  }

  test("waits for a TPM, with a key in it", async () => {
    await swtpm.kill();
    await using agent = await run("late-tpm", "in-tpm", inTpm());
    await waits(agent, "tpm.unavailable");
    await swtpm.start();
    await comesInAndEnds(agent, "in-tpm");
  });

  test("waits for a TPM, with a key wrapped into a file", async () => {
    await swtpm.kill();
    await using agent = await run("late-tpm-file", "in-tpm", inTpm(`file=${scratch.file("wrapped.pem")}`));
    await waits(agent, "tpm.unavailable");
    await swtpm.start();
    await comesInAndEnds(agent, "in-tpm");
  });

  test.each([
    ["the key", "in-token"],
    ["key and certificate, and so the device's id", "beside the key"],
  ])("waits for a token with %s", async (_, certificate) => {
    token.pull();
    await using agent = await run(`late-token-${certificate}`, certificate, inToken());
    await waits(agent, "key.token-missing");
    token.plug();
    await comesInAndEnds(agent, "in-token");
  });

  test("waits for a token whose module has no slot at all, because what it needs is not there either", async () => {
    const [place, elsewhere] = [scratch.file("tokens"), scratch.file("not mounted")];
    await rename(place, elsewhere);
    await using agent = await run("late-slots", "in-token", inToken());
    await waits(agent, "key.token-missing");
    await rename(elsewhere, place);
    await comesInAndEnds(agent, "in-token");
  });

  test.each([
    ["a wrong PIN", () => inToken("key", "WRONG"), "key.wrong-pin"],
    ["no such key", () => inToken("lost"), "key.not-in-token"],
  ])("ends when the token comes and there is %s, which is tried once", async (_, key, code) => {
    token.pull();
    await using agent = await run(`late-${code}`, "in-token", key());
    await waits(agent, "key.token-missing");
    token.plug();
    expect(await agent.exited).toBe(2);
    expect(agent.err).toContain(`code: ${code}`);
    expect(await agent.json(({ schema }) => schema === "landfall.error/1")).toMatchObject({ error: { code } });
    // What the engine says of each login that was refused.
    expect(agent.err.match(/Login failed/g) ?? []).toHaveLength(code === "key.wrong-pin" ? 1 : 0);
    expect(agent.out + agent.err).not.toMatch(/995511|648219/);
  });

  test.each([
    ["nothing at the handle", () => inTpm("handle=0x81010011"), "key.not-in-tpm"],
    ["a certificate for another key", () => inTpm(), "certificate.key-mismatch"],
  ])("ends when the TPM comes and there is %s", async (_, key, code) => {
    await swtpm.kill();
    await using agent = await run(`late-${code}`, "in-token", key());
    await waits(agent, "tpm.unavailable");
    await swtpm.start();
    expect(await agent.exited).toBe(2);
    expect(agent.err).toContain(`code: ${code}`);
  });

  test.each([
    ["TPM", 1, "tpm.unavailable", () => "tpm:handle=0x81010010;at=swtpm:/nowhere"],
    ["token", 2, "key.token-missing", () => inToken().replace("=device", "=gone")],
  ])("does not wait for a %s to check a configuration", async (_, code, says, key) => {
    const file = await configuration(`checked-${says}`, "in-tpm", key());
    const ended = await landfall(["run", "--check-config", "-c", file], { env });
    expect(ended).toMatchObject({ code, err: expect.stringContaining(`code: ${says}`) });
  });

  test("goes on waiting after SIGHUP, and ends in good order when told to", async () => {
    await using agent = await run("told", "in-tpm", "tpm:handle=0x81010010;at=swtpm:/nowhere");
    await waits(agent, "tpm.unavailable");
    agent.kill("SIGHUP");
    await agent.event("waiting");
    agent.kill("SIGTERM");
    expect(await agent.exited).toBe(0);
    expect(agent.err).toContain("stopping: interrupted by SIGTERM");
  });
});
