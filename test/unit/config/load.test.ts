import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { defaultFiles, loadSettings } from "../../../src/config/load.ts";
import { sampleKey, surroundings } from "./samples.ts";

const root = await mkdtemp(join(tmpdir(), "landfall-load-"));
let folder: string;
let count = 0;

beforeEach(async () => {
  count += 1;
  folder = join(root, String(count));
  await mkdir(folder);
});
afterAll(() => rm(root, { recursive: true }));

async function write(text: string, name = "landfall.toml", mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

const load = (file?: string) =>
  loadSettings({
    ...(file === undefined ? {} : { file }),
    workingDirectory: folder,
    env: surroundings.env,
    isRoot: false,
  });

const aziot = `
hostname = "gateway"

[provisioning]
source = "dps"
global_endpoint = "https://global.azure-devices-provisioning.net/"
id_scope = "0ab1234C5D6"

[provisioning.attestation]
method = "symmetric_key"
registration_id = "my-device"
symmetric_key = { value = "${sampleKey}" }

[agent]
name = "edgeAgent"
type = "docker"
`;

describe("loading", () => {
  test("takes a file of aziot as it is", async () => {
    const file = await write(aziot);
    const loaded = await load("landfall.toml");
    expect(loaded).toMatchObject({
      file,
      settings: { provisioning: { idScope: "0ab1234C5D6", endpoint: { endpoint: "auto" } } },
      warnings: [expect.stringContaining("hostname, agent")],
    });
  });

  test("finds landfall.toml in the working directory, and prefers it to the system's", async () => {
    expect(defaultFiles).toEqual(["landfall.toml", "/etc/landfall/landfall.toml"]);
    const file = await write(aziot);
    await expect(load()).resolves.toMatchObject({ file });
  });

  test("takes paths from the folder of the file", async () => {
    await mkdir(join(folder, "etc"));
    await write("a certificate", "etc/device.pem", 0o644);
    await write("a key", "etc/device.key");
    await write(
      `[provisioning]
       source = "dps"
       id_scope = "0ne"
       attestation = { method = "x509", identity_cert = "device.pem", identity_pk = "./device.key" }`,
      "etc/landfall.toml",
    );
    await expect(load("etc/landfall.toml")).resolves.toMatchObject({
      settings: { provisioning: { attestation: { source: { privateKey: join(folder, "etc/device.key") } } } },
    });
  });

  test("of a file that is not there names the place that was tried", async () => {
    await expect(load("other.toml")).rejects.toMatchObject({
      code: "config.not-found",
      message: `There is no ${folder}/other.toml.`,
    });
  });

  test("of something that cannot be read is an error of its own", async () => {
    await expect(load(".")).rejects.toMatchObject({
      code: "config.unreadable",
      message: expect.stringContaining("EISDIR"),
    });
  });

  test("of text that is not TOML names line and column, and quotes nothing", async () => {
    const file = await write(`[provisioning]\nsymmetric_key = "hunter2\nmore = "hunter2"\n`);
    const error: unknown = await load().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "config.invalid", details: [expect.stringMatching(/landfall\.toml:2:\d+: /)] });
    expect(error).toHaveProperty("message", `${file} is not valid TOML.`);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("hunter2");
  });

  test("of a configuration with faults counts them and lists each on a line", async () => {
    const file = await write(aziot.replace("[agent]", "[agnet]").replace("my-device", ""));
    await expect(load()).rejects.toMatchObject({
      code: "config.invalid",
      message: `${file} is not valid: 2 faults.`,
      details: [
        expect.stringMatching(/^agnet: /),
        expect.stringMatching(/^provisioning\.attestation\.registration_id: /),
      ],
    });
  });

  test("refuses a file with a secret in it that everybody may read", async () => {
    const file = await write(aziot, "landfall.toml", 0o644);
    await expect(load()).rejects.toMatchObject({
      code: "config.invalid",
      details: [expect.stringContaining(`run: chmod 600 ${file} (key.world-readable)`)],
    });
  });

  test("warns about a file with a secret in it that its group may read", async () => {
    const file = await write(aziot, "landfall.toml", 0o640);
    const { warnings } = await load();
    expect(warnings).toContainEqual(expect.stringContaining(`run: chmod 600 ${file}`));
  });

  test("lets everybody read a file without a secret in it", async () => {
    await write(sampleKey, "device.key");
    await write(aziot.replace(`value = "${sampleKey}"`, `uri = "file://${folder}/device.key"`), "landfall.toml", 0o644);
    await expect(load()).resolves.toMatchObject({ warnings: [expect.stringContaining("aziot")] });
  });
});
