import { stat } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { CertificateAuthority, Emulator } from "../../src/emulator/index.ts";
import { connectedByHand } from "../support/emulated-device.ts";
import { landfall, programFile, RunningProcess } from "../support/landfall-process.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const folder = new ScratchFolder();

/** Runs `landfall ARGS` on a terminal of its own, which shows both of its streams. */
function onTerminal(args: string, env: NodeJS.ProcessEnv = { NO_COLOR: "" }): RunningProcess {
  const command = `"${process.execPath}" "${programFile}" ${args}`;
  return new RunningProcess("script", ["-qec", command, "/dev/null"], {
    cwd: folder.path,
    env: { TERM: "xterm", SHELL: "/bin/sh", ...env },
  });
}

describe("landfall init on a terminal", () => {
  test("asks its questions, and what it writes passes --check-config", async () => {
    const factory = await CertificateAuthority.create({ commonName: "factory" });
    const { chainPem, privateKeyPem } = await factory.issue({ commonName: "press-07", usage: "client" });
    await folder.write("press.pem", chainPem);
    await folder.write("press.key", privateKeyPem);

    await using init = onTerminal("init");
    for (const [question, answer] of [
      [/ID scope .*: $/, "0ne00000000"],
      [/Attestation \[x509 \| symmetric_key \| tpm\]: $/, ""],
      [/Registration id .*: $/, "press-07"],
      [/Certificate file.*: $/, "press.pem"],
      [/Private key file.*: $/, "press.key"],
    ] as const) {
      await init.shows(question);
      init.write(`${answer}\n`);
    }
    expect(await init.exited).toBe(0);
    expect(init.out).toContain("next: landfall run --check-config");
    expect((await stat(folder.file("landfall.toml"))).mode & 0o777).toBe(0o600);

    const check = await landfall(["run", "--check-config"], { cwd: folder.path });
    expect(check).toMatchObject({ code: 0, out: expect.stringContaining("the device is press-07") });
  });

  test("Ctrl-C at a question writes nothing", async () => {
    await using init = onTerminal("init -o never.toml");
    await init.shows(/ID scope .*: $/);
    init.write("\u0003");
    expect(await init.exited).toBe(130);
    await expect(stat(folder.file("never.toml"))).rejects.toThrow("ENOENT");
    expect(init.out).not.toContain("error:");
  });

  test("Ctrl-D at a question is an error that names the matter", async () => {
    await using init = onTerminal("init -o never.toml");
    await init.shows(/ID scope .*: $/);
    init.write("\u0004");
    expect(await init.exited).toBe(2);
    expect(init.out).toContain("the input ended before every question was answered");
  });
});

describe("on a terminal", () => {
  test("Ctrl-C while a key is waited for ends keys derive", async () => {
    await using keys = onTerminal("keys derive press-07");
    await keys.shows(/group key [^\n]*\n/);
    keys.write("\u0003");
    expect(await keys.exited).toBe(130);
  });

  test("an error has colours, and none under NO_COLOR", async () => {
    await using coloured = onTerminal("run -c absent.toml");
    await coloured.exited;
    expect(coloured.out).toContain("\u001b[31merror:\u001b[39m");
    await using plain = onTerminal("run -c absent.toml", { NO_COLOR: "1" });
    await plain.exited;
    expect(plain.out).toContain("error:");
    expect(plain.out).not.toContain("\u001b");
  });

  test("an agent ends in an orderly way when the terminal is closed", async () => {
    await using emulator = await Emulator.start();
    const { file } = await connectedByHand(emulator, folder, "hung-up");
    await using agent = onTerminal(`run --log-level silent -c ${file}`);
    await emulator.events.next("hub.telemetry");
    agent.kill("SIGKILL"); // the one who holds the terminal
    const { reason } = await emulator.events.next("hub.disconnected");
    expect(reason).toBe("the client disconnected");
  });
});
