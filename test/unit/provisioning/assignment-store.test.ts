import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { JsonValue } from "../../../src/json.ts";
import { createLogger, type LogRecord } from "../../../src/log.ts";
import { type AssignmentBinding, AssignmentStore } from "../../../src/provisioning/assignment-store.ts";

const binding: AssignmentBinding = {
  idScope: "0ne00000001",
  registrationId: "dev-1",
  endpoint: "global.azure-devices-provisioning.net",
};
const assignment = {
  assignedHub: "hub.example",
  deviceId: "dev-1",
  substatus: "initialAssignment",
  payload: { colour: "red" },
};

let directory: string;
let logged: LogRecord[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "landfall-assignment-"));
  logged = [];
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const store = (): AssignmentStore =>
  new AssignmentStore({ directory, log: createLogger("trace", (record) => logged.push(record)) });

describe("the assignment store", () => {
  test("has nothing at first, and says nothing about it", async () => {
    expect(await store().read(binding)).toBeUndefined();
    expect(logged).toEqual([]);
  });

  test("gives back what another process stored", async () => {
    await store().write(binding, assignment);
    expect(await store().read(binding)).toEqual(assignment);
    expect((await stat(store().path)).mode & 0o777).toBe(0o600);
  });

  test("can be looked at without being changed, for whomever it was made", async () => {
    expect(await store().inspect()).toEqual({ state: "none" });
    await store().write(binding, assignment);
    expect(await store().inspect()).toEqual({ state: "stored", binding, assignment });
    await writeFile(store().path, "half a fi");
    expect(await store().inspect()).toEqual({ state: "corrupt" });
    expect(await readdir(directory)).toEqual(["assignment.json"]);
    expect(logged).toEqual([]);
  });

  test("keeps an assignment without the optional parts", async () => {
    const bare = { assignedHub: "hub.example", deviceId: "dev-1" };
    await store().write(binding, bare);
    expect(await store().read(binding)).toEqual(bare);
  });

  test.each([
    ["null", "null"],
    ["a text", '"\\ud83d\\ude00 \\ud800 \\u0000"'],
    ["names that mean something to the language", '{"__proto__":{"a":1},"constructor":[],"":0}'],
    ["deep nesting", `${"[".repeat(60)}${"]".repeat(60)}`],
  ])("keeps what a custom allocation returned: %s", async (_, json) => {
    const payload: JsonValue = JSON.parse(json);
    await store().write(binding, { ...assignment, payload });
    expect(JSON.stringify((await store().read(binding))?.payload)).toBe(JSON.stringify(payload));
  });

  test("never stores a TPM's activation blob", async () => {
    await store().write(binding, { ...assignment, tpmAuthenticationKey: "c2VjcmV0" });
    expect(await store().read(binding)).toEqual(assignment);
    expect(await readFile(store().path, "utf8")).not.toContain("c2VjcmV0");
  });

  test.each(["idScope", "registrationId", "endpoint"] as const)("is void when the %s has changed", async (name) => {
    await store().write(binding, assignment);
    expect(await store().read({ ...binding, [name]: "another" })).toBeUndefined();
    expect(logged).toMatchObject([{ level: "info", fields: { changed: [name] } }]);
    expect(await store().read(binding)).toEqual(assignment);
  });

  test("forgets on request", async () => {
    await store().write(binding, assignment);
    await store().clear();
    expect(await store().read(binding)).toBeUndefined();
  });
});

describe("a corrupt assignment file", () => {
  const whole = { schema: "landfall.stored-assignment/1", binding, assignment };

  test.each([
    ["empty", ""],
    ["cut short", JSON.stringify(whole).slice(0, 60)],
    ["not JSON", "\0\0\0\0"],
    ["of another schema", JSON.stringify({ ...whole, schema: "landfall.network/1" })],
    ["without a binding", JSON.stringify({ ...whole, binding: undefined })],
    ["without a hub", JSON.stringify({ ...whole, assignment: { deviceId: "dev-1" } })],
    ["with a hub of another type", JSON.stringify({ ...whole, assignment: { assignedHub: 1, deviceId: "dev-1" } })],
    ["an array", "[]"],
    ["far too large", `"${"x".repeat(1024 * 1024)}"`],
  ])("(%s) is set aside, named in the log, and does no harm", async (_, text) => {
    await writeFile(store().path, text);
    expect(await store().read(binding)).toBeUndefined();
    expect(await readdir(directory)).toEqual(["assignment.json.corrupt"]);
    expect(logged).toMatchObject([{ level: "warn", fields: { error: { code: "state.corrupt" } } }]);
    await store().write(binding, assignment);
    expect(await store().read(binding)).toEqual(assignment);
  });
});

describe("a state directory that cannot be used", () => {
  test("is named", async () => {
    const path = join(directory, "a-file");
    await writeFile(path, "");
    const blocked = new AssignmentStore({ directory: path });
    await expect(blocked.write(binding, assignment)).rejects.toMatchObject({
      code: "state.unwritable",
      message: expect.stringContaining(path),
    });
    await expect(blocked.read(binding)).rejects.toMatchObject({ code: "state.unwritable" });
  });
});
