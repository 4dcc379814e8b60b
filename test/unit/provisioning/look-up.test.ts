import { describe, expect, test } from "vitest";
import { lookUpRegistration } from "../../../src/provisioning/look-up.ts";
import type { HttpsDpsResponse } from "../../../src/transport/https/dps-answer.ts";
import { fakeAttestation } from "../../support/doctor-context.ts";

const state = { registrationId: "dev", assignedHub: "hub-a.azure-devices.net", deviceId: "dev", status: "assigned" };

const lookUp = (response: Partial<HttpsDpsResponse> & { readonly body: string }) =>
  lookUpRegistration({
    dps: { lookUp: async () => ({ status: 200, ...response }) },
    route: { host: "contoso.azure-devices-provisioning.net" },
    idScope: "0ne00AB12CD",
    attestation: fakeAttestation("dev").attestation,
  });

describe("the answer to a look-up", () => {
  test.each<[string, object, object]>([
    [
      "an assignment",
      state,
      { kind: "assigned", assignment: { assignedHub: "hub-a.azure-devices.net", deviceId: "dev" } },
    ],
    ["nothing assigned yet", { registrationId: "dev", status: "unassigned" }, { kind: "assigning" }],
    [
      "a failure",
      { status: "failed", errorCode: 400209, errorMessage: "no" },
      { kind: "failed", report: { errorCode: 400209, message: "no" } },
    ],
    ["a disabled enrollment", { status: "disabled" }, { kind: "disabled" }],
    ["something else", { hello: "world" }, { kind: "malformed" }],
  ])("is %s, in the words of a registration", async (_, body, answer) => {
    expect((await lookUp({ body: JSON.stringify(body) })).answer).toMatchObject(answer);
  });

  test("keeps what the headers told", async () => {
    const told = { status: 401, errorCode: "401002", dateMs: 1234 };
    expect(await lookUp({ ...told, body: '{"errorCode":401002}' })).toMatchObject({
      ...told,
      answer: { kind: "refused" },
    });
  });

  test("is not asked for by a device that proves itself only while it registers", async () => {
    const { attestation } = fakeAttestation();
    const asked = lookUpRegistration({
      dps: { lookUp: () => Promise.reject(new Error("nobody may ask")) },
      route: { host: "x" },
      idScope: "",
      attestation: { ...attestation, method: "tpm", credential: async () => undefined },
    });
    await expect(asked).rejects.toMatchObject({ code: "attestation.unsupported-pair" });
  });
});
