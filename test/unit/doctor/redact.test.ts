import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { redact, secretsIn, shortened } from "../../../src/doctor/redact.ts";
import type { JsonValue } from "../../../src/json.ts";
import { Secret } from "../../../src/secret.ts";

describe("redaction", () => {
  test("shortens ids wherever they stand alone, in values and keys, whatever their case", () => {
    const value = {
      "sensor-0017": ["devices/SENSOR-0017/messages", { id: "sensor-0017" }],
      other: "sensor-00171 and xsensor-0017",
    };
    expect(redact(value, { ids: ["sensor-0017"], secrets: [] })).toEqual({
      "sen…17": ["devices/sen…17/messages", { id: "sen…17" }],
      other: "sensor-00171 and xsensor-0017",
    });
  });

  test("takes secrets out wherever they are, also inside other words", () => {
    expect(redact({ a: "xhunter2y" }, { ids: [], secrets: ["hunter2"] })).toEqual({ a: "x[secret]y" });
  });

  test("leaves everything else as it is", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain = JSON.parse(JSON.stringify(value)) as JsonValue;
        expect(redact(plain, { ids: ["no-such-device-id"], secrets: ["no such secret"] })).toEqual(plain);
      }),
    );
  });

  test("leaves no id and no secret behind", () => {
    const words = fc.array(fc.constantFrom("sensor-0017", "hunter2", "plant", "/", " ", "."), { maxLength: 12 });
    fc.assert(
      fc.property(words, (parts) => {
        const text = JSON.stringify(redact(parts.join("/"), { ids: ["sensor-0017"], secrets: ["hunter2"] }));
        expect(text).not.toMatch(/hunter2|sensor-0017/);
      }),
    );
  });

  test("shortens short ids to one letter", () => {
    expect([shortened("a"), shortened("device"), shortened("device-1")]).toEqual(["a…", "d…", "dev…-1"]);
  });

  test("knows every secret of some settings, and the password inside an address", () => {
    const settings = {
      key: new Secret("c2VjcmV0LWtleQ=="),
      nested: [{ proxy: new Secret("http://user:p%40ss@proxy:3128") }],
      plain: "text",
      bare: new Secret("http://proxy:3128"),
    };
    expect(secretsIn(settings)).toEqual(["http://user:p%40ss@proxy:3128", "c2VjcmV0LWtleQ==", "p%40ss", "p@ss"]);
  });
});
