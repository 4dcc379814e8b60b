import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
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
  "k.pem",
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
        attestation: { method: "x509", registration_id: "press-07", identity_cert: "c.pem", identity_pk: "k.pem" },
      },
      hub: { transport: "mqtt-ws" },
      network: {},
      telemetry: {},
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

  test("without a terminal names every missing flag and exits 2", async () => {
    const { code, err } = await init(["--method", "x509"]);
    expect(code).toBe(2);
    expect(err).toContain("--id-scope, --registration-id, --cert, --key");
  });

  test("an input that ends too early is no configuration", async () => {
    expect(await init(["-o", "-"], { typed: ["0ne1"], isTTY: true })).toMatchObject({ code: 2, out: "" });
  });
});
