import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { afterAll, describe, expect, test } from "vitest";
import { Emulator } from "../../src/emulator/index.ts";
import { connectedByHand, networkOf, symmetricKeyDevice, writeConfiguration } from "../support/emulated-device.ts";
import { landfall, startLandfall } from "../support/landfall-process.ts";
import { ScratchFolder } from "../support/scratch-folder.ts";

const folder = new ScratchFolder();
const emulator = await Emulator.start({ assigningPolls: 0 });
afterAll(() => emulator.close());

describe("landfall provision", () => {
  test("prints the assignment, stores it without any key, and run starts from there", async () => {
    const { file, key } = await symmetricKeyDevice(emulator, folder, "plain");
    const { code, out } = await landfall(["provision", "-c", file]);
    expect({ code, out }).toEqual({ code: 0, out: "plain is assigned to hub-a.azure-devices.net\n" });

    const directory = folder.file("plain-state");
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    const [name = ""] = await readdir(directory);
    const stored = `${directory}/${name}`;
    expect((await stat(stored)).mode & 0o777).toBe(0o600);
    expect(await readFile(stored, "utf8")).not.toContain(key);

    await using agent = startLandfall(["run", "--json", "-c", file]);
    expect(await agent.event("assigned")).toMatchObject({ origin: "stored" });
  });

  test("--json gives it as one line, with what a custom allocation returned", async () => {
    const enrollment = emulator.dps.enroll({
      registrationId: "json",
      attestation: { method: "symmetric_key" },
      payload: ({ payload }) => ({ got: payload ?? null }),
    });
    const file = await writeConfiguration(folder, "json", {
      provisioning: {
        source: "dps",
        id_scope: emulator.ready.idScope,
        payload: { site: "plant 7" },
        attestation: { method: "symmetric_key", registration_id: "json", symmetric_key: { env: "KEY" } },
      },
      network: networkOf(emulator),
    });
    const { code, out } = await landfall(["provision", "--json", "-c", file], { env: { KEY: enrollment.primaryKey } });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      schema: "landfall.assignment/1",
      assignedHub: "hub-a.azure-devices.net",
      deviceId: "json",
      substatus: "initialAssignment",
      payload: { got: { site: "plant 7" } },
      stored: true,
    });
  });

  test("an assignment that cannot be stored is printed, and exits 1", async () => {
    const { file } = await symmetricKeyDevice(emulator, folder, "full-disk");
    // What a full disk does to the temporary file, a directory in its place does to the rename.
    await mkdir(folder.file("full-disk-state/assignment.json"), { recursive: true, mode: 0o700 });
    const { code, out, err } = await landfall(["provision", "--json", "-c", file]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ schema: "landfall.assignment/1", deviceId: "full-disk", stored: false });
    expect(err).toContain("code: state.unwritable");
  });

  test("a refusal exits 1 with what DPS said", async () => {
    const { file } = await symmetricKeyDevice(emulator, folder, "disabled");
    emulator.dps.enrollments.find(({ id }) => id === "disabled")?.update({ disabled: true });
    const { code, out, err } = await landfall(["provision", "--json", "-c", file]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ schema: "landfall.error/1", error: { code: "provisioning.disabled" } });
    expect(err).toContain("code: provisioning.disabled");
  });

  test("without a DPS to ask exits 2", async () => {
    const { file } = await connectedByHand(emulator, folder, "by-hand");
    expect(await landfall(["provision", "-c", file])).toMatchObject({ code: 2, out: "" });
  });

  test("a signal while DPS is silent ends it at once, as shells expect it", async () => {
    const { file } = await symmetricKeyDevice(emulator, folder, "interrupted");
    emulator.dps.silent(true);
    try {
      await using provision = startLandfall(["provision", "-c", file]);
      await provision.says(/asking DPS/);
      provision.kill("SIGINT");
      expect(await provision.exited).toBe(130);
      expect(provision.out).toBe("");
      expect(provision.err).not.toContain("error:");
    } finally {
      emulator.dps.silent(false);
    }
  });
});
