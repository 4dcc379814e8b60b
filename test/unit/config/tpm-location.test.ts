import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatTpmLocation, parseTpmLocation } from "../../../src/config/tpm-location.ts";

describe("the location of a TPM", () => {
  test.each([
    ["device:/dev/tpmrm0", { kind: "device", path: "/dev/tpmrm0" }],
    ["device:/dev/tpm0", { kind: "device", path: "/dev/tpm0" }],
    ["swtpm:127.0.0.1:2321", { kind: "tcp", host: "127.0.0.1", port: 2321 }],
    ["swtpm:localhost:65535", { kind: "tcp", host: "localhost", port: 65535 }],
    ["swtpm:[::1]:2321", { kind: "tcp", host: "::1", port: 2321 }],
    ["swtpm:/run/a socket", { kind: "unix", path: "/run/a socket" }],
  ])("%s is read, and written as it was", (text, location) => {
    expect(parseTpmLocation(text)).toEqual(location);
    expect(formatTpmLocation(location as Parameters<typeof formatTpmLocation>[0])).toBe(text);
  });

  test.each([
    ...["", "tpm0", "/dev/tpm0", "device:", "device:tpm0", "swtpm:", "swtpm:host", "swtpm:host:", "swtpm:host:0"],
    ...["swtpm:host:65536", "swtpm:::1:2321", "swtpm:relative/path", "mcu:", "DEVICE:/dev/tpm0", "device:/dev/\0"],
  ])("%j is none", (text) => {
    expect(parseTpmLocation(text)).toBeUndefined();
  });

  test("of any text is none, or is written as it was", () => {
    const text = fc.oneof(
      fc.string(),
      fc.tuple(fc.constantFrom("device:", "swtpm:"), fc.string()).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (given) => {
        const location = parseTpmLocation(given);
        if (location !== undefined && location.kind !== "tcp") expect(formatTpmLocation(location)).toBe(given);
      }),
    );
  });
});
