import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLandfallError } from "../../../src/errors.ts";
import { imageVersionText, readImageFile } from "../../../src/serial/firmware/image-file.ts";
import {
  compareImageVersions,
  formatImageVersion,
  parseImageVersion,
} from "../../../src/serial/firmware/image-version.ts";
import { firmwareImage, imageHash } from "../../support/firmware-image.ts";

describe("an image file", () => {
  test("tells version, hash and board", () => {
    const file = firmwareImage({ version: [1, 20, 300, 4000], board: "press-board" });
    const image = readImageFile(file);
    expect(imageVersionText(image)).toBe("1.20.300.4000");
    expect(image.hash).toEqual(imageHash(file));
    expect(image.board).toBe("press-board");
  });

  test("may be without a board, have a longer header, other hashes, a signature", () => {
    const image = readImageFile(
      firmwareImage({ headerBytes: 512, hash: "sha512", trailers: [[0x22, new Uint8Array(70)]] }),
    );
    expect([image.board, image.hash.length]).toEqual([undefined, 64]);
    expect(readImageFile(firmwareImage({ hash: "sha384" })).hash).toHaveLength(48);
  });

  test("is uploaded without the padding behind it", () => {
    const file = firmwareImage();
    expect(readImageFile(firmwareImage({ paddingBytes: 3000 })).bytes).toEqual(readImageFile(file).bytes);
  });

  test("that is encrypted is known by the hash it names", () => {
    const file = firmwareImage({ flags: 0x04 });
    file[100] = (file[100] as number) ^ 1;
    expect(readImageFile(file).hash).toHaveLength(32);
  });

  test.each([
    ["nothing", Buffer.alloc(0), /header of 32 bytes, got 0/],
    ["an ELF file", Buffer.concat([Buffer.from("\x7fELF"), Buffer.alloc(100)]), /got 7f 45 4c 46/],
    ["an Intel hex file", Buffer.from(":10000000".repeat(20)), /magic number/],
    ["one without code", firmwareImage({ codeBytes: 0 }), /no code/],
    ["one that does not start", firmwareImage({ flags: 0x10 }), /does not start/],
    ["one without a hash", firmwareImage({ hash: "none" }), /one hash among the trailers, got 0/],
    [
      "one with two hashes",
      firmwareImage({ trailers: [[0x10, new Uint8Array(32)]] }),
      /one hash among the trailers, got 2/,
    ],
    [
      "one whose hash is too short",
      firmwareImage({ hash: "none", trailers: [[0x10, new Uint8Array(20)]] }),
      /its hash/,
    ],
  ])("is refused: %s", (_, file, message) => {
    expect(() => readImageFile(file)).toThrow(
      expect.objectContaining({ code: "firmware.unusable", message: expect.stringMatching(message) }),
    );
  });

  test("is refused when it was cut off anywhere", () => {
    const file = firmwareImage({ codeBytes: 300, board: "b" });
    for (let bytes = 0; bytes < file.length; bytes++) {
      expect(() => readImageFile(file.subarray(0, bytes))).toThrow(
        expect.objectContaining({ code: "firmware.unusable" }),
      );
    }
  });

  test("is refused when any bit of what the hash covers was changed", () => {
    const file = firmwareImage({ codeBytes: 200, board: "b" });
    const covered = file.length - 4 - 36;
    fc.assert(
      fc.property(fc.nat(covered - 1), fc.nat(7), (at, bit) => {
        const damaged = Buffer.from(file);
        damaged[at] = (damaged[at] as number) ^ (1 << bit);
        // Where it is marked as encrypted by that, nobody here can tell.
        fc.pre((damaged.readUInt32LE(16) & 0x0c) === 0);
        expect(() => readImageFile(damaged)).toThrow(expect.objectContaining({ code: "firmware.unusable" }));
      }),
    );
  });

  test("that is anything at all is an image or a named error", () => {
    const file = firmwareImage({ codeBytes: 64, board: "b" });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 6 }), (changes) => {
        const damaged = Buffer.from(file);
        for (const [at, value] of changes) damaged[at] = value;
        try {
          readImageFile(damaged);
        } catch (error) {
          expect(isLandfallError(error) && error.code).toBe("firmware.unusable");
        }
      }),
      { numRuns: 500 },
    );
  });

  test("has the hash that openssl would give", () => {
    const file = firmwareImage({ codeBytes: 10 });
    expect(Buffer.from(readImageFile(file).hash)).toEqual(createHash("sha256").update(file.subarray(0, 42)).digest());
  });
});

describe("versions", () => {
  test.each([
    ["1.2.3", [1, 2, 3, 0]],
    ["0.0.0", [0, 0, 0, 0]],
    ["1.2.3.45", [1, 2, 3, 45]],
    ["1.2.3+45", [1, 2, 3, 45]],
  ] as const)("%s is read", (text, version) => {
    expect(parseImageVersion(text)).toEqual(version);
    expect(parseImageVersion(formatImageVersion(version))).toEqual(version);
  });

  test.each(["", "1.2", "v1.2.3", "1.2.3-rc1", "1.2.3.4.5", "<???>"])("%j is none", (text) => {
    expect(parseImageVersion(text)).toBeUndefined();
  });

  test("are compared part by part, the first that differs decides", () => {
    const version = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(65_535), fc.nat(0xffff_ffff));
    fc.assert(
      fc.property(version, version, (one, other) => {
        const key = ([a, b, c, d]: readonly number[]) =>
          [a, b, c, d].map((part) => String(part).padStart(10, "0")).join();
        expect(Math.sign(compareImageVersions(one, other))).toBe(
          key(one) < key(other) ? -1 : Number(key(one) > key(other)),
        );
      }),
    );
  });
});
