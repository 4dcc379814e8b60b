import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseConnectionString } from "../../../src/config/connection-string.ts";
import { parseSymmetricKey, symmetricKeyTextOf } from "../../../src/config/symmetric-key-text.ts";
import { sampleKey } from "./samples.ts";

const keyBytes = fc.uint8Array({ minLength: 16, maxLength: 64 }).map((bytes) => Buffer.from(bytes));

function keyIn(text: string): string | undefined {
  const result = parseSymmetricKey(text);
  return "value" in result ? result.value.reveal() : undefined;
}

describe("a symmetric key", () => {
  test("of 16 to 64 bytes is read, with or without padding and white space", () => {
    fc.assert(
      fc.property(keyBytes, fc.constantFrom("", "\n", " \r\n"), (bytes, end) => {
        const text = bytes.toString("base64");
        expect(keyIn(text + end)).toBe(text);
        expect(keyIn(text.replace(/=+$/, "") + end)).toBe(text);
      }),
    );
  });

  test("of another length is refused", () => {
    for (const length of [0, 1, 15, 65, 128]) expect(keyIn(Buffer.alloc(length, 7).toString("base64"))).toBeUndefined();
  });

  test.each([
    "not base64!",
    "AAAAAAAAAAAAAAAAAAAAAAAAA",
    "AAAAAAAAAAAAAAAAAAAAAAAA=",
    "AAAAAAAAAAAAAAAA\nAAAAAAAAAAAAAAAA",
    "_-AAAAAAAAAAAAAAAAAAAAAA",
  ])("%j is refused", (text) => {
    expect(keyIn(text)).toBeUndefined();
  });

  test("is never repeated in a problem", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4 }), (text) => {
        const result = parseSymmetricKey(`hunter2${text}`);
        if ("problem" in result) expect(JSON.stringify(result)).not.toContain("hunter2");
      }),
    );
  });

  test("may stand in a file as base64 or as the bytes themselves", () => {
    expect(symmetricKeyTextOf(Buffer.from(`${sampleKey}\n`))).toBe(`${sampleKey}\n`);
    expect(symmetricKeyTextOf(Buffer.from(sampleKey, "base64"))).toBe(sampleKey);
  });
});

describe("a connection string", () => {
  const text = `HostName=My-Hub.azure-devices.net;DeviceId=my=device;SharedAccessKey=${sampleKey}`;

  test("holds host name, device id and key, in any order", () => {
    for (const order of [text, text.split(";").reverse().join(";"), `${text};\n`]) {
      const result = parseConnectionString(order);
      if (!("value" in result)) throw new Error(result.problem.found);
      const { hostName, deviceId, sharedAccessKey } = result.value;
      expect([hostName, deviceId, sharedAccessKey.reveal()]).toEqual([
        "my-hub.azure-devices.net",
        "my=device",
        sampleKey,
      ]);
    }
  });

  test.each([
    ["", "no field"],
    ["HostName=h;DeviceId=d", "HostName, DeviceId"],
    [`HostName=h;DeviceId=;SharedAccessKey=${sampleKey}`, "DeviceId (empty)"],
    ["HostName=h;DeviceId=d;x509=true", "x509"],
    [`${text};ModuleId=m`, "ModuleId"],
    [`${text};GatewayHostName=g`, "GatewayHostName"],
    ["HostName=h;DeviceId=d;SharedAccessKey=hunter2!", "not base64"],
    ["Endpoint=sb://h/;hunter2=hunter2", "2 of another name"],
    ["hunter2", "1 of another name"],
  ])("%j is refused: %s", (wrong, reason) => {
    const result = parseConnectionString(wrong);
    const found = "problem" in result ? result.problem.found : "";
    expect(found).toContain(reason);
    expect(found).not.toContain("hunter2");
    expect(found).not.toContain(sampleKey);
  });
});
