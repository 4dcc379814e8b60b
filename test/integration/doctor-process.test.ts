import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DoctorReport } from "../../src/doctor/report.ts";
import { DoctorStage, stageNames } from "../support/doctor-stage.ts";
import { landfall, startLandfall } from "../support/landfall-process.ts";

let stage: DoctorStage;
beforeAll(async () => {
  stage = await DoctorStage.open();
});
afterAll(() => stage.close());

/** Runs `landfall doctor` as a user does, in the present stage. */
async function doctor(args: readonly string[] = [], device: Parameters<DoctorStage["writeConfiguration"]>[0] = {}) {
  const file = await stage.writeConfiguration({ services: ["hub"], ...device });
  return landfall(["doctor", "-c", file, ...args]);
}

describe("landfall doctor, as a process", () => {
  test("ends with 0 when all is well", async () => {
    await stage.show("healthy-network");
    const { code, out, err } = await doctor(["--hub-connect"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/✓ dps\.authentication +assigned to myhub\.azure-devices\.net/);
    expect(out).toMatch(/✓ hub\.connect +myhub\.azure-devices\.net lets the device in/);
    expect(out).not.toMatch(/Diagnosis/);
    expect(out).not.toContain("\u001b");
  });

  test("ends with 1 for a warning, and names its cause", async () => {
    await stage.show("zone-not-linked");
    const { code, out } = await doctor();
    expect(code).toBe(1);
    expect(out).toMatch(/Diagnosis \(likely\): A private endpoint exists/);
    expect(out).toMatch(/- hub\.connect +would throw out a running agent; stop it and add --hub-connect/);
  });

  test("ends with 2 for a failure, in the JSON report too", async () => {
    await stage.show("record-missing");
    const { code, out } = await doctor(["--json"]);
    const report = JSON.parse(out) as DoctorReport;
    expect(code).toBe(2);
    expect(report).toMatchObject({
      schema: "landfall.doctor/1",
      exitCode: 2,
      diagnosis: { id: "private-record-missing" },
    });
    expect(out.trimEnd().split("\n")).toHaveLength(1);
  });

  test("ends with 3 for a configuration that is not valid, and for wrong usage", async () => {
    const broken = join(stage.directory, "broken.toml");
    await writeFile(broken, '[provisioning]\nsource = "dps"\nfoo = 1\n');
    const { code, out } = await landfall(["doctor", "-c", broken]);
    expect(code).toBe(3);
    expect(out).toMatch(/✗ config\.valid/);
    expect(out).toMatch(/Diagnosis \(certain\):.*not valid/);
    expect((await landfall(["doctor", "-c", join(stage.directory, "nowhere.toml"), "--json"])).code).toBe(3);
    expect((await landfall(["doctor", "--no-such-option"])).code).toBe(3);
    expect((await landfall(["doctor", "--only", "no.such.check"])).code).toBe(3);
    expect((await landfall(["doctor", "--time-limit", "soon"])).code).toBe(3);
  });

  test("ends with 4 when it has no time to finish", async () => {
    await stage.show("server-silent");
    const { code, out } = await doctor(["--time-limit", "300ms", "--json"]);
    expect(code).toBe(4);
    expect(JSON.parse(out)).toMatchObject({ complete: false, diagnosis: { id: "examination-cut-short" } });
  });

  test("ends at once when it is interrupted", async () => {
    await stage.show("server-silent");
    const file = await stage.writeConfiguration({ services: [] });
    await using running = startLandfall(["doctor", "-c", file]);
    while (!running.out.includes("config.valid"))
      await new Promise((resolve) => running.child.stdout?.once("data", resolve));
    running.child.kill("SIGINT");
    expect(await running.exited).toBe(130);
  });

  test("runs some checks alone, and lists them all", async () => {
    await stage.show("healthy-network");
    const only = JSON.parse((await doctor(["--only", "dns.dps", "--json"])).out) as DoctorReport;
    expect(only.checks.map(({ id }) => id)).toEqual(["config.valid", "config.endpoint", "dns.dps"]);
    const skipping = JSON.parse((await doctor(["--skip", "tcp,tls.dps.443", "--json"])).out) as DoctorReport;
    expect(skipping.checks.find(({ id }) => id === "tcp.hub.443")).toMatchObject({
      status: "skipped",
      because: "excluded",
    });
    const list = await landfall(["doctor", "--list"]);
    expect(list.out).toMatch(/^config\.valid +Configuration file$/m);
    expect(JSON.parse((await landfall(["doctor", "--list", "--json"])).out)).toMatchObject({
      schema: "landfall.doctor-checks/1",
    });
  });

  test("writes a bundle for its owner's eyes, without a secret, in a file and in all that it prints", async () => {
    await stage.show("public-access-disabled");
    const bundle = join(stage.directory, "bundle.json");
    await writeFile(bundle, "", { mode: 0o644 });
    const device = { network: { proxy: "http://user:hunter2@127.0.0.1:9", no_proxy: ["*"] } };
    const { code, out, err } = await doctor(
      ["--bundle", bundle, "--verbose", "--hub-connect", "--log-level", "trace"],
      device,
    );
    expect(code).toBe(2);
    const text = await readFile(bundle, "utf8");
    expect((await stat(bundle)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(text)).toMatchObject({ schema: "landfall.bundle/1", report: { exitCode: 2 } });
    for (const secret of [stage.deviceKey, "hunter2", "SharedAccessSignature", "sig="]) {
      expect(text + out + err).not.toContain(secret);
    }
    expect(text).not.toContain(stage.registrationId);
    expect((await doctor(["--bundle", join(stage.directory, "no", "such", "folder")])).code).toBe(3);
  });
});

describe("the doctor", () => {
  test("changes nothing: no registration, no session, no state", async () => {
    await stage.show("healthy-network");
    const before = stage.emulator.events.all.length;
    const registrations = structuredClone(stage.emulator.dps.registrations);
    await stage.examine({ services: [] }, { mayConnectToHub: false });
    const kinds = stage.emulator.events.all.slice(before).map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(["dps.look-up"]));
    expect(stage.emulator.dps.registrations).toEqual(registrations);
    expect(await readdir(join(stage.directory, "state"))).toEqual(["assignment.json"]);
  });

  test("leaves a corrupt assignment where it is", async () => {
    await stage.show("healthy-network");
    const loaded = await stage.load({ services: [] });
    await writeFile(join(stage.directory, "state", "assignment.json"), "half a fi");
    const report = await stage.examine({ services: [] }, { load: async () => loaded });
    expect(report.checks.find(({ id }) => id === "state.assignment")?.findings[0]?.code).toBe("corrupt");
    expect(await readdir(join(stage.directory, "state"))).toEqual(["assignment.json"]);
    // The look-up names the hub that is not stored.
    expect(report.checks.find(({ id }) => id === "hub.name")?.summary).toBe(`${stageNames.hub} (DPS)`);
  });

  test.each([
    ["network", "private"],
    ["data_residency", "strict"],
  ])("with %s = %s knows no global endpoint, and dials no public address", async (setting, value) => {
    const { place } = await stage.show("zone-not-linked");
    const report = await stage.examine({ services: [], assignedHub: undefined, provisioning: { [setting]: value } });
    expect(report).toMatchObject({ exitCode: 2, diagnosis: { id: "private-endpoint-not-visible" } });
    expect(place.queries().map(({ name }) => name)).not.toContain("global.azure-devices-provisioning.net");
    expect(place.arrivals).toEqual([]);
  });

  test("with a strict choice sends nothing to public addresses of a healthy network either", async () => {
    const { place, scene } = await stage.show("healthy-network");
    const report = await stage.examine({ services: [], provisioning: { network: "private" } });
    expect(report.exitCode).toBe(0);
    const dialled = new Set(place.arrivals.map(({ address }) => address));
    expect(dialled).toEqual(new Set([scene.endpoint("dps").addressOf(), scene.endpoint("hub").addressOf()]));
  });

  test("tells a device without a registration from one whose enrollment is gone", async () => {
    await stage.show("healthy-network");
    const fresh = await stage.examine({ services: [], registrationId: "never-seen-0001", assignedHub: undefined });
    expect(fresh.diagnosis).toMatchObject({ id: "not-registered", confidence: "possible" });
    const gone = await stage.examine({ services: [], registrationId: "never-seen-0001" });
    expect(gone.diagnosis).toMatchObject({ id: "enrollment-gone" });
  });

  test("tells a wrong key by the private path from a closed door", async () => {
    await stage.show("healthy-network");
    const report = await stage.examine({ services: [], key: "d3Jvbmcga2V5IGZvciB0aGlzIGRldmljZQ==" });
    expect(report).toMatchObject({ exitCode: 2, diagnosis: { id: "credential-refused" } });
  });

  test("looks up with a certificate as well as with a key", async () => {
    await stage.show("healthy-network");
    const report = await stage.examine({ services: [], certificate: true, assignedHub: undefined });
    expect(report.checks.find(({ id }) => id === "dps.authentication")?.findings.map(({ code }) => code)).toEqual([
      "not-registered",
    ]);
    expect(stage.emulator.events.of("dps.look-up").at(-1)).toMatchObject({ credential: "certificate", status: 404 });
  });
});
