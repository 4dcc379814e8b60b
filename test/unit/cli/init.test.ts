import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runProgram } from "../../../src/cli/program.ts";
import { fakeTerminal } from "../../support/fake-terminal.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "landfall-init-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function init(args: string[], { typed, isTTY = false }: { typed?: string[]; isTTY?: boolean } = {}) {
  const terminal = fakeTerminal({ isTTY, env: { NO_COLOR: "1" } });
  terminal.input.end((typed ?? []).map((line) => `${line}\n`).join(""));
  const code = await runProgram({
    args: ["init", ...args],
    env: {},
    terminal,
    signal: new AbortController().signal,
  });
  return { code, ...terminal.written };
}

const x509 = [
  "--method",
  "x509",
  "--id-scope",
  "0ne1",
  "--registration-id",
  "press-07",
  "--cert",
  "c.pem",
  "--key",
  "/etc/k.pem",
];

describe("landfall init", () => {
  test("writes what the flags say, with mode 0600", async () => {
    const file = join(folder, "landfall.toml");
    expect(await init([...x509, "--transport", "mqtt-ws", "-o", file])).toMatchObject({ code: 0, out: "" });
    expect(parse(await readFile(file, "utf8"))).toEqual({
      provisioning: {
        source: "dps",
        id_scope: "0ne1",
        transport: "mqtt-ws",
        attestation: {
          method: "x509",
          registration_id: "press-07",
          identity_cert: join(process.cwd(), "c.pem"),
          identity_pk: "/etc/k.pem",
        },
      },
      hub: { transport: "mqtt-ws" },
      network: {},
      telemetry: {},
      doctor: {},
      mcu: {},
      state: {},
      log: {},
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test("leaves an existing file alone unless forced", async () => {
    const file = join(folder, "landfall.toml");
    await writeFile(file, "mine");
    expect(await init([...x509, "-o", file])).toMatchObject({ code: 2, err: expect.stringContaining("--force") });
    expect(await readFile(file, "utf8")).toBe("mine");
    expect(await init([...x509, "-o", file, "--force"])).toMatchObject({ code: 0 });
    expect(await readFile(file, "utf8")).toContain("press-07");
  });

  test("on a terminal asks for what is missing, and again for an answer that makes no sense", async () => {
    const typed = ["0ne1", "x501", "symmetric_key", "press-07", "/keys/press-07"];
    const { code, out, err } = await init(["-o", "-"], { typed, isTTY: true });
    expect(code).toBe(0);
    expect(err).toContain("expected one of x509, symmetric_key");
    expect(parse(out)).toMatchObject({
      provisioning: {
        id_scope: "0ne1",
        attestation: {
          method: "symmetric_key",
          registration_id: "press-07",
          symmetric_key: { uri: "file:///keys/press-07" },
        },
      },
    });
  });

  test("flags tell the method, so that it need not be asked for", async () => {
    const { out, err } = await init(["--id-scope", "0ne1", "--registration-id", "a", "--pkcs12", "a b.p12", "-o", "-"]);
    expect(err).toBe("");
    expect(parse(out)).toMatchObject({
      provisioning: { attestation: { method: "x509", identity_pkcs12: join(process.cwd(), "a b.p12") } },
    });
  });

  test("a key file keeps its odd name in the URI", async () => {
    const { out } = await init([
      ...["--id-scope", "0ne1", "--registration-id", "a", "--derive"],
      ...["--symmetric-key-file", "/keys/a #1.key", "-o", "-"],
    ]);
    expect(parse(out)).toMatchObject({
      provisioning: { attestation: { symmetric_key: { uri: "file:///keys/a%20%231.key" }, derive: true } },
    });
  });

  test.each([
    [
      "files of one method with the other",
      ["--method", "symmetric_key", "--cert", "c.pem"],
      "--method symmetric_key, --cert",
    ],
    ["files of both methods", ["--cert", "c.pem", "--symmetric-key-file", "k"], "--cert, --symmetric-key-file"],
    ["two forms of certificates", ["--pkcs12", "p", "--key", "k"], "either --pkcs12"],
  ])("refuses %s", async (_, args, says) => {
    const { code, out, err } = await init(["--id-scope", "0ne1", "--registration-id", "a", "-o", "-", ...args]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(says);
  });

  test("writes nothing that the agent would not take, and names every fault", async () => {
    const file = join(folder, "landfall.toml");
    const { code, err } = await init([
      ...["--id-scope", "no scope", "--registration-id", "two words", "--method", "x509", "--cert", "c", "--key", "k"],
      ...["--transport", "carrier-pigeon", "-o", file],
    ]);
    expect(code).toBe(2);
    for (const path of ["provisioning.id_scope", "registration_id", "provisioning.transport"]) {
      expect(err).toContain(path);
    }
    expect(await readdir(folder)).toEqual([]);
  });

  test("without a terminal names every missing flag and exits 2", async () => {
    const { code, err } = await init(["--method", "x509"]);
    expect(code).toBe(2);
    expect(err).toContain("--id-scope, --registration-id, --cert, --key");
  });

  test("an input that ends too early is no configuration", async () => {
    expect(await init(["-o", "-"], { typed: ["0ne1"], isTTY: true })).toMatchObject({ code: 2, out: "" });
  });
});
