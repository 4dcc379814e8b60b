import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judgeSasToken, parseSasToken } from "../../../src/emulator/sas.ts";

interface Vector {
  readonly name: string;
  readonly key: string;
  readonly resource: string;
  readonly keyName?: string;
  readonly expiresAtSeconds?: number;
  readonly token: string;
}
const vectors = JSON.parse(readFileSync("test/vectors/sas.json", "utf8")) as Record<
  "written" | "foreign" | "rejected",
  readonly Vector[]
>;

const judge = ({ token, key, resource, keyName }: Vector, more: object = {}) =>
  judgeSasToken(parseSasToken(token), {
    resources: [resource],
    keys: [key],
    nowMs: 0,
    ...(keyName === undefined ? {} : { keyName }),
    ...more,
  });
const [example] = vectors.written as [Vector];
const expiresAtMs = (example.expiresAtSeconds ?? 0) * 1000;

describe("a shared access signature token", () => {
  test.each([...vectors.written, ...vectors.foreign])("is accepted: $name", (vector) => {
    expect(judge(vector)).toBeUndefined();
    expect(parseSasToken(vector.token)?.expiresAtMs).toBe((vector.expiresAtSeconds ?? 0) * 1000);
  });

  test.each(vectors.rejected)("is refused: $name", (vector) => {
    expect(judge(vector, { keyName: "registration" })).toMatch(/^wrong-(signature|resource)$/);
  });

  test("counts until its expiry and not at it", () => {
    expect(judge(example, { nowMs: expiresAtMs - 1 })).toBeUndefined();
    expect(judge(example, { nowMs: expiresAtMs })).toBe("expired");
  });

  test("may be signed with any of the keys, and with no other", () => {
    const other = Buffer.alloc(32, 1).toString("base64");
    expect(judge(example, { keys: [other, example.key] })).toBeUndefined();
    expect(judge(example, { keys: [other] })).toBe("wrong-signature");
    expect(judge(example, { keys: [] })).toBe("wrong-signature");
  });

  test("is for the resource it names, in whatever case", () => {
    expect(judge(example, { resources: ["0NE00abcdef/Registrations/SENSOR-17"] })).toBeUndefined();
    expect(judge(example, { resources: [`${example.resource}0`] })).toBe("wrong-resource");
  });

  test("names no policy but the one that is expected", () => {
    const named = { ...example, token: example.token.replace("skn=registration", "skn=iothubowner") };
    expect(judge(named)).toBe("wrong-key-name");
    expect(
      judgeSasToken(parseSasToken(example.token), { resources: [example.resource], keys: [example.key], nowMs: 0 }),
    ).toBe("wrong-key-name");
  });

  test.each([
    "",
    "SharedAccessSignature",
    "SharedAccessSignature ",
    "SharedAccessSignature sr&sig&se",
    "SharedAccessSignature sr=a&sig=b",
    "SharedAccessSignature sr=a&sig=b&se=soon",
    "SharedAccessSignature sr=a&sig=b&se=1e9",
    "SharedAccessSignature sr=%&sig=b&se=1",
    "SharedAccessSignature sr=a&sig=%zz&se=1",
    "Bearer sr=a&sig=b&se=1",
  ])("is malformed: %j", (text) => {
    expect(parseSasToken(text)).toBeUndefined();
    expect(judgeSasToken(parseSasToken(text), { resources: ["a"], keys: [example.key], nowMs: 0 })).toBe("malformed");
  });

  test("is taken apart whatever it is", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const token = parseSasToken(`SharedAccessSignature ${text}`);
        expect(judgeSasToken(token, { resources: [example.resource], keys: [example.key], nowMs: 0 })).toBeDefined();
      }),
    );
  });
});
