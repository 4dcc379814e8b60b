import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";

/** Where each name that an entry exports is declared: the file's path by name. */
function exportsOf(entry: string): Map<string, string> {
  const names = new Map<string, string>();
  const source = readFileSync(entry, "utf8");
  for (const [, list = "", from = ""] of source.matchAll(/export (?:type )?\{([^}]*)\} from "([^"]+)"/g)) {
    for (const name of list.split(",").map((each) => each.trim().replace(/^type /, ""))) {
      if (name !== "") names.set(name, join(dirname(entry), from));
    }
  }
  return names;
}

/** Whether the declaration of `name` comes right after a docstring. */
function isDocumented(file: string, name: string): boolean {
  const lines = readFileSync(file, "utf8").split("\n");
  const at = lines.findIndex((line) =>
    new RegExp(`^export (abstract )?(async )?(class|function\\*?|const|interface|type) ${name}\\b`).test(line),
  );
  return at > 0 && (lines[at - 1] ?? "").trim().endsWith("*/");
}

test("the package exports these values, and no others", async () => {
  expect(Object.keys(await import("../../src/index.ts")).sort()).toEqual([
    "Agent",
    "LandfallError",
    "Secret",
    "createLogger",
    "errorTable",
    "isLandfallError",
    "loadSettings",
    "logLevels",
    "settingsFrom",
    "systemClock",
  ]);
});

const entries = ["src/index.ts", "src/transport/azure-sdk/index.ts", "src/emulator/index.ts", "src/testing/index.ts"];

describe.each(entries)("%s", (entry) => {
  test("lists its names one by one, and each has a docstring", () => {
    const names = exportsOf(entry);
    expect(names.size).toBeGreaterThan(3);
    expect(readFileSync(entry, "utf8")).not.toContain("export *");
    const bare = [...names].filter(([name, file]) => !isDocumented(file, name)).map(([name]) => name);
    expect(bare).toEqual([]);
  });
});

test("what a user's own transport, or his own way to the services, needs can be imported", () => {
  const names = exportsOf("src/index.ts");
  for (const name of ["RouteFinder", "FoundWay", "EndpointPath", "NameServer", "McuLink"])
    expect(names.has(name)).toBe(true);
  const seams = ["DpsTransport", "DpsChannel", "HubTransport", "HubConnection", "HubHandlers", "Route", "CallOptions"];
  for (const name of [...seams, "Credential", "SasCredential", "TlsIdentity"]) expect(names.has(name)).toBe(true);
});
