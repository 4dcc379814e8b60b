import { expect, test } from "vitest";
import { makeMcuImage } from "../../../firmware-sim/index.ts";
import { imageVersionText, readImageFile } from "../../../src/serial/firmware/image-file.ts";

test("an image is one for who reads images with code of his own", () => {
  const image = makeMcuImage({ version: "1.2.3+4", codeBytes: 100, board: "press-board" });
  const read = readImageFile(image);
  expect(imageVersionText(read)).toBe("1.2.3.4");
  expect(read.board).toBe("press-board");
  expect(read.bytes).toHaveLength(image.length);
  expect(makeMcuImage({ version: "1.2.3+4", codeBytes: 100, board: "press-board" })).toEqual(image);
});

test("an image that misbehaves is still one; a damaged one is not", () => {
  expect(readImageFile(makeMcuImage({ version: "1.0.0", start: "hangs" })).board).toBeUndefined();
  expect(() => readImageFile(makeMcuImage({ version: "1.0.0", damaged: true }))).toThrow(
    expect.objectContaining({ code: "firmware.unusable" }),
  );
});

test.each([{ version: "1.0" }, { version: "256.0.0" }, { version: "1.0.65536" }, { version: "1.0.0", codeBytes: 31 }])(
  "no image can be made of %j",
  (recipe) => {
    expect(() => makeMcuImage(recipe)).toThrow(expect.objectContaining({ code: "simulator.rejected" }));
  },
);
