import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findCircle, importGraph, root } from "./imports.ts";

/** Rooms by floor, ground first. A file may import from lower floors and from its own room. */
const floors: readonly (readonly string[])[] = [
  ["ground"],
  ["endpoint"],
  ["config"],
  ["serial"],
  ["keys"],
  ["transport", "attestation"],
  ["provisioning", "hub"],
  ["agent", "doctor", "emulator", "testing"],
  ["cli"],
];

const roomOf = (file: string): string => {
  const [top, room, ...rest] = file.split("/");
  if (top !== "src") return top ?? "";
  return rest.length === 0 ? (room === "index.ts" ? "cli" : "ground") : (room ?? "");
};
const floorOf = (room: string): number => floors.findIndex((rooms) => rooms.includes(room));

const graph = importGraph("src", "firmware-sim");

describe("the structure of the sources", () => {
  test("has no import circles, type-only ones included", () => {
    expect(findCircle(graph)).toBeUndefined();
  });

  test("knows the floor of every room", () => {
    const unknown = [...graph.keys()].filter((file) => file.startsWith("src/") && floorOf(roomOf(file)) < 0);
    expect(unknown).toEqual([]);
  });

  test("is listed in CONTRIBUTING.md from the ground up", () => {
    const page = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
    const listed = [...page.matchAll(/^\| `src\/([^`]+)` \|/gm)].map(([, name = ""]) =>
      name === "*.ts" ? "ground" : name,
    );
    expect([...listed].sort()).toEqual(floors.flat().sort());
    const order = listed.map(floorOf);
    expect(order).toEqual([...order].sort((one, other) => one - other));
  });

  test("imports point down only", () => {
    const wrong: string[] = [];
    for (const [file, imports] of graph) {
      for (const target of imports) {
        const [from, to] = [roomOf(file), roomOf(target)];
        if (from === to || from === "firmware-sim") continue;
        if (floorOf(to) >= floorOf(from)) wrong.push(`${file} -> ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("emulator and simulator share no wire code with the client", () => {
    const client = ["transport", "provisioning", "hub", "attestation", "serial", "endpoint", "keys", "agent"];
    const shared: string[] = [];
    for (const [file, imports] of graph) {
      if (!["emulator", "firmware-sim"].includes(roomOf(file))) continue;
      shared.push(
        ...imports.filter((target) => client.includes(roomOf(target))).map((target) => `${file} -> ${target}`),
      );
    }
    expect(shared).toEqual([]);
  });

  test("the circle finder finds a circle", () => {
    const circular = new Map([
      ["a", ["b"]],
      ["b", ["c"]],
      ["c", ["b"]],
    ]);
    expect(findCircle(circular)).toEqual(["b", "c", "b"]);
  });
});
