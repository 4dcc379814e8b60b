import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLandfallError } from "../../../../src/errors.ts";
import { inputBufferProperty, readHandles, readProperty } from "../../../../src/keys/tpm/capability-commands.ts";
import { flushContext } from "../../../../src/keys/tpm/context-commands.ts";
import { createPrimary, evictControl, importKey, load, readPublic } from "../../../../src/keys/tpm/key-commands.ts";
import { nvRead, nvSize } from "../../../../src/keys/tpm/nv-commands.ts";
import { requireParent } from "../../../../src/keys/tpm/parent-key.ts";
import { activateCredential, policySecret, startPolicySession } from "../../../../src/keys/tpm/policy-commands.ts";
import { createKey, sign } from "../../../../src/keys/tpm/signing-commands.ts";
import {
  decodeResponse,
  encodeCommand,
  noPassword,
  readResult,
  type TpmCommand,
} from "../../../../src/keys/tpm/tpm-command.ts";
import { Secret } from "../../../../src/secret.ts";

const some = Buffer.from("some");
const key = { innerKey: some, publicArea: some, duplicate: some, encryptedSeed: some };

/** One of every command whose response has something in it. */
const commands: readonly TpmCommand<unknown>[] = [
  readHandles(0x81000000),
  readProperty(inputBufferProperty),
  flushContext(0x80000000),
  readPublic(0x81000001),
  createPrimary(0x40000001, noPassword, some),
  evictControl(noPassword, 0x80000000, 0x81000100),
  importKey(0x81000001, key),
  load(0x81000001, { privatePart: some, publicArea: some }),
  startPolicySession(),
  policySecret(0x4000000b, noPassword, 0x03000000),
  activateCredential(0x81000001, 0x81010001, 0x03000000, { identityObject: some, encryptedSeed: some }),
  nvSize(0x01c00002),
  nvRead(0x01c00002, 0, 16, 0x01c00002, noPassword),
  createKey(0x81000001, some, some),
  sign(0x81010010, noPassword, Buffer.alloc(32)),
];

const read = (command: TpmCommand<unknown>, response: Uint8Array): unknown =>
  readResult(command, decodeResponse(command, response));

/** A frame around what a TPM answers: right in tag, size and code, whatever is inside. */
function frame(command: TpmCommand<unknown>, content: Uint8Array): Buffer {
  const header = Buffer.alloc(10);
  header.writeUInt16BE(command.authorizations === undefined ? 0x8001 : 0x8002);
  header.writeUInt32BE(10 + content.length, 2);
  return Buffer.concat([header, content]);
}

describe("a command", () => {
  test("has its handles, its authorizations and its parameters in their places", () => {
    const password = new Secret<Uint8Array>(Buffer.from("pw"));
    const bytes = encodeCommand(evictControl({ kind: "password", password }, 0x80000001, 0x81000100));
    const header = ["8002", "00000025", "00000120"];
    const handles = ["40000001", "80000001"];
    const authorization = ["0000000b", "40000009", "0000", "01", "0002", "7077"];
    expect(bytes.toString("hex")).toBe([...header, ...handles, ...authorization, "81000100"].join(""));
  });

  test("names a session where it has one, after the password of the first handle", () => {
    const credential = { identityObject: Buffer.from("aa", "hex"), encryptedSeed: Buffer.from("bb", "hex") };
    const bytes = encodeCommand(activateCredential(0x81000001, 0x81010001, 0x03000002, credential));
    const [password, session] = ["400000090000010000", "030000020000010000"];
    expect(bytes.toString("hex")).toContain(`810000018101000100000012${password}${session}0001aa0001bb`);
  });
});

describe("a response", () => {
  test.each(commands.map((command) => [command.name, command] as const))(
    "to %s of any bytes is read or is an error with a name",
    (_, command) => {
      const content = fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        // Lengths that lie are likelier to get far into the reader.
        fc
          .array(fc.constantFrom(0, 0, 0, 1, 2, 4, 8, 0x40, 0x80, 0xff), { maxLength: 60 })
          .map((bytes) => Buffer.from(bytes)),
      );
      const anything = fc.oneof(
        fc.uint8Array({ maxLength: 60 }),
        content.map((bytes) => frame(command, bytes)),
      );
      fc.assert(
        fc.property(anything, (response) => {
          try {
            read(command, response);
          } catch (error) {
            if (!isLandfallError(error) || !error.code.startsWith("tpm.")) throw error;
          }
        }),
        { numRuns: 200 },
      );
    },
  );

  test.each([
    ["TPM2_Load", commands[7], "80000001000000040002abcd00000100 00"],
    ["TPM2_Import", commands[6], "000000050003aabbcc0000010000"],
    ["TPM2_ReadPublic", commands[3], "0003aabbcc0002ddee0001ff"],
    ["TPM2_StartAuthSession", commands[8], "030000010002aabb"],
  ] as const)("to %s is read whole, and cut off nowhere", (_, command, hex) => {
    if (command === undefined) throw new Error("no such command");
    const whole = frame(command, Buffer.from(hex.replaceAll(" ", ""), "hex"));
    expect(() => read(command, whole)).not.toThrow();
    for (let length = 0; length < whole.length; length++) {
      const cut = Buffer.from(whole.subarray(0, length));
      expect(() => read(command, cut), `${length} bytes`).toThrow(/^The response to TPM2_\w+ has /);
      // The same with a header that tells the length it has.
      if (length < 10) continue;
      cut.writeUInt32BE(length, 2);
      expect(() => read(command, cut), `${length} bytes`).toThrow(/^The response to TPM2_\w+ has /);
    }
    const longer = frame(command, Buffer.concat([whole.subarray(10), Buffer.alloc(1)]));
    expect(() => read(command, longer)).toThrow("has 1 bytes more than it should have");
  });

  test("with the tag of another kind is refused", () => {
    const response = frame(flushContext(1), Buffer.alloc(0));
    response.writeUInt16BE(0x8002);
    expect(() => read(flushContext(1), response)).toThrow("has the tag 0x8002 where 0x8001 should be");
  });
});

describe("a public area", () => {
  test("of any bytes is read or is an error with a name", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const sized = Buffer.concat([Buffer.from([0, bytes.length]), bytes]);
        try {
          requireParent(sized, "the key");
        } catch (error) {
          if (!isLandfallError(error) || !error.code.startsWith("tpm.")) throw error;
        }
      }),
    );
  });

  test.each([
    ["an EC key", "0023000b000300b2", "a key of type 0x0023"],
    ["RSA 3072", "0001000b000300b200000006008000430010 0c00", "an RSA key of 3072 bits"],
    ["a key that signs", "0001000b000400720000 00100010 0800", "a key with the attributes 0x00040072"],
    ["a key named by SHA-384", "0001000c000300b20000 000600800043 0010 0800", "a key named by algorithm 0x000c"],
    [
      "AES-256 for children",
      "0001000b000300b20000 000601000043 0010 0800",
      "a key that does not protect its children by AES-128-CFB",
    ],
    ["a key with another policy", "0001000b000300b20001aa 000600800043 0010 0800", "a key with another policy"],
  ])("of %s is none that DPS can encrypt for", (_, hex, found) => {
    const area = Buffer.from(hex.replaceAll(" ", ""), "hex");
    const padded = Buffer.concat([area, Buffer.alloc(20)]);
    const sized = Buffer.concat([Buffer.from([0, padded.length]), padded]);
    expect(() => requireParent(sized, "the key at 0x81010001", Buffer.alloc(32))).toThrow(
      expect.objectContaining({ code: "tpm.unsuitable-key", message: expect.stringContaining(`found ${found}.`) }),
    );
  });
});
