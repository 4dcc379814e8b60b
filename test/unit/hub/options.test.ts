import { describe, expect, test } from "vitest";
import { resolveOptions } from "../../../src/hub/options.ts";

describe("the options of a hub session", () => {
  test("have defaults, which what is given overrides", () => {
    const options = resolveOptions({ telemetryWindow: 5 });
    expect(options).toMatchObject({ telemetryWindow: 5, renewalTimeoutMs: 30_000, provisionAfterFailures: 10 });
    expect(Object.isFrozen(options)).toBe(true);
  });

  test("are refused all at once, with what was expected and found", () => {
    const given = { telemetryWindow: 0, connectTimeoutMs: Number.NaN, closeTimeoutMs: 0.5, backoffBaseMs: 1 };
    expect(() => resolveOptions(given)).toThrow(
      expect.objectContaining({
        code: "config.invalid",
        details: [
          "telemetryWindow: expected a whole number from 1 to 1000, found 0",
          "connectTimeoutMs: expected a whole number from 1000 to 86400000, found NaN",
          "closeTimeoutMs: expected a whole number from 0 to 86400000, found 0.5",
        ],
      }),
    );
  });
});
