import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { describe, expect, test } from "vitest";
import { CertificateAuthority, type EmulatorReady } from "../../src/emulator/index.ts";
import { writeConfiguration } from "../support/emulated-device.ts";
import { landfall, type RunningProcess, startLandfall } from "../support/landfall-process.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const folder = new ScratchFolder();
const isIpv6Here = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === "::1"));
const anyPorts = ["--mqtt-port", "0", "--ws-port", "0"];

interface ReadyLine extends EmulatorReady {
  readonly connectTo: string[];
  readonly enrollments: { readonly registrationId: string; readonly primaryKey: string }[];
}

/** Whatever a test kills leaves its files here. */
const startEmulator = (args: readonly string[], { cwd = "." }: { readonly cwd?: string } = {}): RunningProcess =>
  startLandfall(["emulator", ...args], { env: { TMPDIR: folder.path }, cwd });

const networkOf = ({ caFile, connectTo }: ReadyLine) => ({ trust_bundle: caFile, connect_to: connectTo });

describe("landfall emulator", () => {
  test("has on its ready line all that a device needs, and serves two of them until SIGTERM", async () => {
    await using emulator = startEmulator([
      ...[...anyPorts, "--id-scope", "0ne0MYSCOPE"],
      ...["--hub", "first", "--hub", "second", "--enroll", "one", "--enroll", "two"],
    ]);
    const ready = (await emulator.json()) as unknown as ReadyLine;
    expect(ready).toMatchObject({
      schema: "landfall.emulator/1",
      idScope: "0ne0MYSCOPE",
      hubs: ["first.azure-devices.net", "second.azure-devices.net"],
      enrollments: [{ registrationId: "one" }, { registrationId: "two" }],
    });
    expect(await readFile(ready.caFile, "utf8")).toContain("-----BEGIN CERTIFICATE-----");

    await Promise.all(
      ready.enrollments.map(async ({ registrationId, primaryKey }, index) => {
        const transport = index === 0 ? "mqtt" : "mqtt-ws";
        const file = await writeConfiguration(folder, registrationId, {
          provisioning: {
            source: "dps",
            id_scope: ready.idScope,
            transport,
            attestation: { method: "symmetric_key", registration_id: registrationId, symmetric_key: { env: "KEY" } },
          },
          hub: { transport },
          network: networkOf(ready),
        });
        await using agent = startLandfall(["run", "--json", "-c", file], { env: { KEY: primaryKey } });
        expect(ready.hubs).toContain((await agent.event("connected")).hub);
        await agent.event("telemetry-acknowledged");
        agent.kill("SIGTERM");
        expect(await agent.exited).toBe(0);
      }),
    );

    emulator.kill("SIGTERM");
    expect(await emulator.exited).toBe(0);
    expect(emulator.out.trimEnd().split("\n")).toHaveLength(1);
    expect(existsSync(ready.caFile)).toBe(false);
  });

  test.each([
    ["::1", "[::1]"],
    ["0.0.0.0", "127.0.0.1"],
  ])("listening on %s, tells its neighbours to dial %s", async (host, dialled) => {
    if (!isIpv6Here && host === "::1") return;
    await using emulator = startEmulator([...anyPorts, "--host", host, "--enroll", `at-${host.length}`]);
    const ready = (await emulator.json()) as unknown as ReadyLine;
    expect(ready.connectTo).toEqual([`:8883:${dialled}:${ready.mqttPort}`, `:443:${dialled}:${ready.wsPort}`]);
    const [{ registrationId = "", primaryKey: value = "" } = {}] = ready.enrollments;
    const attestation = { method: "symmetric_key", registration_id: registrationId, symmetric_key: { value } };
    const file = await writeConfiguration(folder, registrationId, {
      provisioning: { source: "dps", id_scope: ready.idScope, attestation },
      network: networkOf(ready),
    });
    expect(await landfall(["provision", "-c", file])).toMatchObject({ code: 0 });
  });

  test("hands out localhost with its port on request, which an agent of ours takes for no hub", async () => {
    await using emulator = startEmulator([...anyPorts, "--assign", "localhost", "--enroll", "local"]);
    const ready = (await emulator.json()) as unknown as ReadyLine;
    const [{ primaryKey: value = "" } = {}] = ready.enrollments;
    const attestation = { method: "symmetric_key", registration_id: "local", symmetric_key: { value } };
    const file = await writeConfiguration(folder, "local", {
      provisioning: { source: "dps", id_scope: ready.idScope, attestation },
      network: networkOf(ready),
    });
    const { code, err } = await landfall(["provision", "-c", file]);
    expect(code).toBe(1);
    expect(err).toContain("an assignment to a hub that is not a host name");
  });

  test("takes enrollments from a file, its certificates from beside the file", async () => {
    const factory = await CertificateAuthority.create({ commonName: "factory" });
    const { chainPem, privateKeyPem } = await factory.issue({ commonName: "press-07", usage: "client" });
    await folder.write("factory.pem", factory.certificatePem);
    const enrollments = await folder.write(
      "enrollments.toml",
      '[[group]]\nname = "line-1"\nattestation = { method = "x509", certificate = "factory.pem" }\n' +
        'hubs = ["b"]\ninitial_twin = { desired = { colour = "red" } }\n',
    );
    await using emulator = startEmulator([...anyPorts, "--hub", "a", "--hub", "b", "--enrollments", enrollments]);
    const ready = (await emulator.json()) as unknown as ReadyLine;
    const file = await writeConfiguration(folder, "press-07", {
      provisioning: {
        source: "dps",
        id_scope: ready.idScope,
        attestation: {
          method: "x509",
          identity_cert: await folder.write("press.pem", chainPem),
          identity_pk: await folder.write("press.key", privateKeyPem),
        },
      },
      network: networkOf(ready),
    });
    await using agent = startLandfall(["run", "--json", "-c", file]);
    expect(await agent.event("assigned")).toMatchObject({ hub: "b.azure-devices.net", deviceId: "press-07" });
    expect(await agent.event("desired-changed")).toMatchObject({ patch: { colour: "red" } });
    agent.kill("SIGTERM");
    await agent.exited;
    emulator.kill("SIGINT");
    expect(await emulator.exited).toBe(0);
  });

  test("serves faults from a file, and makes the same keys of the same seed", async () => {
    const faults = await folder.write(
      "faults.toml",
      '[[fault]]\nservice = "dps"\nid = "shaky"\nstep = "register"\nfault = { status = 400 }\n',
    );
    const keys: string[] = [];
    for (const code of [1, 0]) {
      // The first emulator refuses the one registration that it sees; the second is told of no fault.
      const args = ["--seed", "7", "--enroll", "shaky", ...(code === 1 ? ["--faults", faults] : [])];
      await using emulator = startEmulator([...anyPorts, ...args]);
      const ready = (await emulator.json()) as unknown as ReadyLine;
      const value = ready.enrollments[0]?.primaryKey ?? "";
      keys.push(value);
      const attestation = { method: "symmetric_key", registration_id: "shaky", symmetric_key: { value } };
      const file = await writeConfiguration(folder, `shaky-${code}`, {
        provisioning: { source: "dps", id_scope: ready.idScope, attestation },
        network: networkOf(ready),
      });
      expect(await landfall(["provision", "-c", file])).toMatchObject({ code });
    }
    expect(keys[0]).toBe(keys[1]);
  });

  test("prints what DPS and hubs see where it is asked to, messages included", async () => {
    await using emulator = startEmulator([...anyPorts, "--enroll", "seen", "--events"]);
    const ready = (await emulator.json()) as unknown as ReadyLine;
    const [{ primaryKey: value = "" } = {}] = ready.enrollments;
    const attestation = { method: "symmetric_key", registration_id: "seen", symmetric_key: { value } };
    const file = await writeConfiguration(folder, "seen", {
      provisioning: { source: "dps", id_scope: ready.idScope, attestation },
      network: networkOf(ready),
    });
    await using agent = startLandfall(["run", "--stdin", "-c", file]);
    agent.child.stdin.end('{"temperature":21.5}\n');
    expect(await agent.exited).toBe(0);
    emulator.kill("SIGTERM");
    expect(await emulator.exited).toBe(0);
    const lines = emulator.out
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => JSON.parse(line));
    expect(lines.every(({ schema, time }) => schema === "landfall.emulator-event/1" && Date.parse(time) > 0)).toBe(
      true,
    );
    expect(lines).toContainEqual(expect.objectContaining({ event: "dps.assigned", registrationId: "seen" }));
    expect(lines).toContainEqual(
      expect.objectContaining({ event: "hub.telemetry", deviceId: "seen", qos: 1, body: { temperature: 21.5 } }),
    );
  });

  test("keeps its authority in a directory from one start to the next, and tells where that is from anywhere", async () => {
    const pems: string[] = [];
    for (let start = 0; start < 2; start++) {
      await using emulator = startEmulator([...anyPorts, "--directory", "authority"], { cwd: folder.path });
      const ready = (await emulator.json()) as unknown as ReadyLine;
      expect(ready.caFile).toBe(folder.file("authority/ca.pem"));
      pems.push(await readFile(ready.caFile, "utf8"));
      await emulator.says(/nobody is enrolled/);
      emulator.kill("SIGTERM");
      await emulator.exited;
    }
    expect(pems[0]).toBe(pems[1]);
  });

  test("a port that is taken ends it with 1, and says so", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    const { port } = await new Promise<{ port: number }>((resolve) =>
      other.once("listening", () => resolve(other.address() as { port: number })),
    );
    const { code, out, err } = await landfall(["emulator", "--mqtt-port", `${port}`, "--ws-port", "0"]);
    other.close();
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(`${port}`);
    expect(err).toContain("code: emulator.listen-failed");
  });

  test.each([
    ["a port that is none", ["--mqtt-port", "70000"], "--mqtt-port"],
    ["a registration id that DPS would refuse", ["--enroll", "two words"], "two words"],
    ["one device twice", ["--enroll", "a", "--enroll", "A"], "already"],
    ["one hub twice", ["--hub", "a", "--hub", "a"], "Two hubs"],
    ["a hub that can be none", ["--hub", "a b"], "host name"],
    ["an unknown form of assignment", ["--assign", "moon"], "localhost"],
    ["an enrollment file that is not there", ["--enrollments", "/absent.toml"], "/absent.toml"],
    ["a fault file that is not there", ["--faults", "/absent.toml"], "/absent.toml"],
    ["a seed that is none", ["--seed", "-1"], "--seed"],
    ["an option that there is not", ["--moon"], "--moon"],
  ])("refuses %s with 2, before it listens", async (_, args, says) => {
    const { code, out, err } = await landfall(["emulator", ...anyPorts, ...args]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(says);
  });

  test("names every fault of a fault file", async () => {
    const file = await folder.write("wrong.toml", '[[fault]]\nservice = "dps"\nstep = "poll"\nfault = "hold"\n');
    const { code, err } = await landfall(["emulator", "--faults", file]);
    expect(code).toBe(2);
    expect(err).toContain(`${file}: The fault file has one fault of its own.`);
    expect(err).toContain(
      "fault[0]: expected a fault that the service can have; found there is no hold at the step poll",
    );
  });

  test("names a fault for a hub that there is not, as JSON where that is asked for", async () => {
    const file = await folder.write("nobody.toml", '[[fault]]\nservice = "hub-x"\nstep = "connect"\nfault = "drop"\n');
    const { code, out } = await landfall(["emulator", "--json", ...anyPorts, "--faults", file]);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      schema: "landfall.error/1",
      error: {
        code: "cli.usage",
        message: expect.stringContaining("faults[0].service: expected dps or one of the hubs hub-a; found hub-x"),
      },
    });
  });

  test("names every fault of an enrollment file, and shows no key", async () => {
    const file = await folder.write(
      "faulty.toml",
      '[[individual]]\nregistration_id = "two words"\nattestation = { method = "symmetric_key", primary_key = "hunter2" }\n',
    );
    const { code, err } = await landfall(["emulator", "--enrollments", file]);
    expect(code).toBe(2);
    expect(err).toContain(`${file}: The enrollment file has 2 faults.`);
    expect(err).toContain("individual[0].registration_id");
    expect(err).toContain("individual[0].attestation.primary_key");
    expect(err).not.toContain("hunter2");
  });
});
