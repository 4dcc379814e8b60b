import { createHash } from "node:crypto";
import { mkdir, symlink } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { makeMcuImage } from "../../../../firmware-sim/index.ts";
import { readOrderedImage, readUpdateOrder } from "../../../../src/agent/mcu/update-order.ts";
import { ScratchFolder } from "../../../support/scratch-folder.ts";

const folder = new ScratchFolder();
const image = makeMcuImage({ version: "1.1.0" });
const sha256 = createHash("sha256").update(image).digest();
const hex = sha256.toString("hex");

describe("what updateMcu is asked for", () => {
  test("is a file and its hash", () => {
    expect(readUpdateOrder({ file: "press-1.1.0.bin", sha256: hex.toUpperCase() })).toEqual({
      file: "press-1.1.0.bin",
      sha256,
      allowDowngrade: false,
    });
    expect(readUpdateOrder({ file: "a", sha256: hex, allowDowngrade: true })).toMatchObject({ allowDowngrade: true });
  });

  test.each([
    [null],
    [["a"]],
    [{ file: "a.bin" }],
    [{ file: "../a.bin", sha256: hex }],
    [{ file: "/etc/passwd", sha256: hex }],
    [{ file: "sub/a.bin", sha256: hex }],
    [{ file: "..", sha256: hex }],
    [{ file: ".a.bin", sha256: hex }],
    [{ file: "a\u0000.bin", sha256: hex }],
    [{ file: "", sha256: hex }],
    [{ file: "a.bin", sha256: hex.slice(1) }],
    [{ file: "a.bin", sha256: hex, allowDowngrade: "yes" }],
    [{ file: "a.bin", sha256: hex, force: true }],
  ])("is refused: %j", (payload) => {
    expect(readUpdateOrder(payload)).toHaveProperty("expected");
  });
});

describe("the image that was ordered", () => {
  const order = (file: string) => ({ file, sha256, allowDowngrade: false });

  test("is read when it is what was ordered", async () => {
    await folder.write("good.bin", image);
    const { bytes } = await readOrderedImage(folder.path, order("good.bin"));
    expect(Buffer.from(image).equals(bytes)).toBe(true);
  });

  test("is refused when it is missing, a folder, a link, another file, or no image", async () => {
    await mkdir(folder.file("folder"));
    await folder.write("target.bin", image);
    await symlink(folder.file("target.bin"), folder.file("link.bin"));
    await folder.write("other.bin", makeMcuImage({ version: "1.2.0" }));
    for (const file of ["missing.bin", "folder", "link.bin", "other.bin"]) {
      await expect(readOrderedImage(folder.path, order(file))).rejects.toMatchObject({ code: "firmware.unusable" });
    }
    const text = Buffer.from("no image");
    await folder.write("text", text);
    const hashed = { ...order("text"), sha256: createHash("sha256").update(text).digest() };
    await expect(readOrderedImage(folder.path, hashed)).rejects.toMatchObject({ code: "firmware.unusable" });
  });
});
