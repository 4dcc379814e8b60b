import { describe, expect, test } from "vitest";
import { Emulator, parseFaultFile } from "../../../src/emulator/index.ts";
import type { LandfallError } from "../../../src/errors.ts";

function faultsOf(text: string): readonly string[] {
  try {
    parseFaultFile(text);
  } catch (error) {
    expect((error as LandfallError).code).toBe("emulator.fault-file");
    return (error as LandfallError).details;
  }
  return [];
}

/** A file with one fault, written as TOML writes the members of a table. */
const one = (fault: string, step = "register", service = "dps") =>
  `[[fault]]\nservice = "${service}"\nstep = "${step}"\nfault = ${fault}`;

describe("a fault file", () => {
  test("holds faults for DPS and hubs, in the order in which they are served", () => {
    const text = `
      [[fault]]
      service = "dps"
      id = "dev-1"
      step = "register"
      fault = { status = 429, retry_after = 5, body = { errorCode = 429001 } }
      times = 3

      [[fault]]
      service = "hub-a"
      step = "telemetry"
      fault = "hold"
    `;
    expect(parseFaultFile(text)).toEqual([
      {
        service: "dps",
        id: "dev-1",
        step: "register",
        fault: { status: 429, retryAfterSeconds: 5, body: { errorCode: 429001 } },
        times: 3,
      },
      { service: "hub-a", id: "*", step: "telemetry", fault: "hold", times: 1 },
    ]);
  });

  test.each([
    ["{ delay_ms = 5 }", { delayMs: 5 }],
    ["{ cut_after_bytes = 0 }", { cutAfterBytes: 0 }],
    ["{ clock_skew_ms = -5 }", { clockSkewMs: -5 }],
    ['"wrong-rid"', "wrong-rid"],
  ])("takes %s", (written, fault) => {
    expect(parseFaultFile(one(written))).toMatchObject([{ fault }]);
  });

  test("may be JSON, or empty", () => {
    const json = JSON.stringify({ fault: [{ service: "dps", step: "connect", fault: { connack: 3 } }] });
    expect(parseFaultFile(json)).toMatchObject([{ step: "connect", fault: { connack: 3 } }]);
    expect(parseFaultFile("")).toEqual([]);
  });

  test.each<[string, RegExp]>([
    ["[[fault]", /^line 1, column \d+: not valid TOML$/],
    ["{", /JSON object/],
    [one('"noise"'), /^fault\[0\]\.fault: expected "silence", .*; found "noise"$/],
    [one("{ delay_ms = 1, status = 429 }"), /^fault\[0\]\.fault: .*; found delay_ms, status$/],
    [one("{ connack = 3, retry_after = 1 }", "connect"), /found connack, retry_after$/],
    [one("{}"), /found an empty table$/],
    [one("{ colour = 1 }"), /colour/],
    [one("{ connack = 3 }"), /^fault\[0\]: .*found there is no connack at the step register$/],
    [one('"hold"', "telemetry"), /^fault\[0\]: .*no hold at the step telemetry$/],
    [one("{ status = 42 }"), /^fault\[0\]: .*status: expected an integer from 200 to 599; found 42$/],
    [one('"drop"', "coffee"), /^fault\[0\]\.step/],
  ])("is not valid as %j", (text, line) => {
    expect(faultsOf(text).join("\n")).toMatch(line);
  });

  test("tells of every fault of its own at once", () => {
    expect(faultsOf(`${one('"a"')}\n${one('"b"')}`)).toHaveLength(2);
  });
});

test("an emulator begins with the faults that it is given, and refuses those of no hub", async () => {
  const faults = [
    { service: "dps", step: "register", fault: "drop", times: 2 },
    { service: "hub-a", id: "dev", step: "twin-get", fault: { status: 429 } },
  ] as const;
  await using emulator = await Emulator.start({ faults });
  expect([emulator.dps.faults.pending, emulator.hub().faults.pending]).toEqual([2, 1]);
  expect(emulator.hub().faults.take("dev", "twin-get")).toEqual({ status: 429 });
  const starting = Emulator.start({ faults: [{ service: "hub-x", step: "connect", fault: "drop" }] });
  await expect(starting).rejects.toMatchObject({ code: "emulator.rejected" });
});
