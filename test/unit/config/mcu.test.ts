import { describe, expect, test } from "vitest";
import { describeSettings } from "../../../src/config/describe.ts";
import { settingsFrom } from "../../../src/config/settings-from.ts";
import { withSymmetricKey } from "./samples.ts";

const settings = async (mcu?: object) =>
  (await settingsFrom({ ...withSymmetricKey, ...(mcu ? { mcu } : {}) }, { baseDirectory: "/" })).settings;

describe("the port of an MCU", () => {
  test("is nothing unless it is set", async () => {
    expect((await settings()).mcu).toBeUndefined();
    expect((await settings({ baud_rate: 9600 })).mcu).toBeUndefined();
    expect(describeSettings(await settings())).not.toHaveProperty("mcu");
  });

  test.each(["/dev/ttyACM0", "tcp://127.0.0.1:4000", "unix:/run/mcu.sock"])("may be %s", async (port) => {
    const loaded = await settings({ port });
    expect(loaded.mcu).toEqual({ port, baudRate: 115_200 });
    expect(describeSettings(loaded).mcu).toEqual({ port, baud_rate: 115_200 });
  });

  test.each([
    [{ port: "tcp://nowhere" }, "mcu.port"],
    [{ port: "" }, "mcu.port"],
    [{ port: "/dev/ttyS0", baud_rate: 10 }, "mcu.baud_rate"],
    [{ port: "/dev/ttyS0", speed: 10 }, "speed"],
  ])("is refused: %j", async (mcu, path) => {
    await expect(settings(mcu)).rejects.toMatchObject({
      code: "config.invalid",
      details: [expect.stringContaining(path)],
    });
  });
});
