import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../../src/json.ts";
import { type RegistrationAnswer, readAnswer, registrationBody } from "../../../src/provisioning/wire.ts";

interface RecordedResponse {
  readonly name: string;
  readonly status: number;
  readonly body: JsonValue;
  readonly expected: { readonly kind: string; readonly blobBase64?: string };
}

interface MalformedResponse {
  readonly name: string;
  readonly status: number;
  readonly body: JsonValue;
  readonly fault: string;
}

const vectors = <T>(file: string): T[] =>
  JSON.parse(readFileSync(new URL(`../../vectors/${file}`, import.meta.url), "utf8"));
const textOf = (body: JsonValue): string => (typeof body === "string" ? body : JSON.stringify(body));

describe("readAnswer", () => {
  test.each(vectors<RecordedResponse>("registration-responses.json"))("reads: $name", ({ status, body, expected }) => {
    const { blobBase64, ...rest } = expected;
    const answer = readAnswer({ status, body: textOf(body) });
    expect(answer).toEqual(
      blobBase64 === undefined ? rest : { ...rest, blob: new Uint8Array(Buffer.from(blobBase64, "base64")) },
    );
  });

  test.each(vectors<MalformedResponse>("registration-malformed.json"))(
    "names what is wrong with: $name",
    ({ status, body, fault }) => {
      expect(readAnswer({ status, body: textOf(body) })).toEqual({ kind: "malformed", fault });
    },
  );

  test("compares the status without regard to case", () => {
    expect(readAnswer({ status: 202, body: '{"operationId":"op","status":"Assigning"}' })).toEqual({
      kind: "assigning",
      operationId: "op",
    });
  });

  test("takes the status from the state when it is only there", () => {
    const body = '{"registrationState":{"status":"assigned","assignedHub":"hub.example","deviceId":"d"}}';
    expect(readAnswer({ status: 200, body })).toMatchObject({ kind: "assigned" });
  });

  test.each([429, 500, 503])("an error status counts even when its body is a proxy's page (%i)", (status) => {
    expect(readAnswer({ status, body: "<html>" })).toEqual({ kind: "refused", status, report: { status } });
  });

  test("ignores report fields of the wrong type, and strips what would disturb a terminal", () => {
    const body = JSON.stringify({ errorCode: "401002", trackingId: 5, message: "no\u001b[31m\r\nentry\u202e" });
    expect(readAnswer({ status: 401, body })).toEqual({
      kind: "refused",
      status: 401,
      report: { status: 401, message: "no [31m entry" },
    });
  });

  test("cuts an endless message", () => {
    const answer = readAnswer({ status: 400, body: JSON.stringify({ message: "x".repeat(50_000) }) });
    expect(answer.kind === "refused" && answer.report.message?.length).toBe(1024);
  });

  test("does not look at a body that is larger than any answer of DPS", () => {
    const body = JSON.stringify({ operationId: "op", status: "assigning", filler: "x".repeat(300_000) });
    expect(readAnswer({ status: 202, body }).kind).toBe("malformed");
  });

  test("does not let through a payload too deep to walk", () => {
    const state = (payload: string) =>
      `{"status":"assigned","registrationState":{"assignedHub":"h","deviceId":"d","payload":${payload}}}`;
    const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
    expect(readAnswer({ status: 200, body: state(nested(20)) }).kind).toBe("assigned");
    expect(readAnswer({ status: 200, body: state(nested(100_000)) }).kind).toBe("malformed");
  });

  test("never throws, and quotes nothing of a body that it cannot read", () => {
    const secret = "c2VjcmV0LWF1dGhlbnRpY2F0aW9uLWtleQ==";
    const json = fc.json().map((text) => text.replaceAll("secret", ""));
    const broken = fc.tuple(json, fc.nat(40)).map(([text, cut]) => `${text.slice(0, cut)}"${secret}`);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 700 }), fc.oneof(json, broken, fc.string()), (status, body) => {
        const answer: RegistrationAnswer = readAnswer({ status, body });
        expect(JSON.stringify(answer)).not.toContain(secret);
      }),
    );
  });
});

describe("registrationBody", () => {
  const base = { registrationId: "dev-1", evidence: {} };

  test("holds the id alone when there is nothing else", () => {
    expect(registrationBody(base)).toEqual({ registrationId: "dev-1" });
  });

  test("carries the evidence of the attestation, which cannot change the id", () => {
    const evidence = { tpm: { endorsementKey: "AToA" }, registrationId: "somebody-else" };
    expect(registrationBody({ ...base, evidence })).toEqual({
      registrationId: "dev-1",
      tpm: { endorsementKey: "AToA" },
    });
  });

  test("announces the model id inside the payload, beside the custom one", () => {
    const modelId = "dtmi:com:example:Thermostat;1";
    expect(registrationBody({ ...base, modelId })).toEqual({ registrationId: "dev-1", payload: { modelId } });
    expect(registrationBody({ ...base, modelId, payload: { site: "north" } })).toEqual({
      registrationId: "dev-1",
      payload: { modelId, site: "north" },
    });
  });

  test("a custom payload's own model id stays", () => {
    const body = registrationBody({ ...base, modelId: "dtmi:a;1", payload: { modelId: "dtmi:b;1" } });
    expect(body.payload).toEqual({ modelId: "dtmi:b;1" });
  });
});
