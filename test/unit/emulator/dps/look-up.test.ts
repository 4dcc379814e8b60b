import { describe, expect, test } from "vitest";
import type { HttpReply } from "../../../../src/emulator/https/http-exchange.ts";
import type { EnrollmentOptions } from "../../../../src/emulator/index.ts";
import { EmulatedDps } from "../../../support/emulated-dps.ts";

const enrollment: EnrollmentOptions = { registrationId: "dev:1", attestation: { method: "symmetric_key" } };

/** An emulated DPS with one enrollment, and a way to look it up over HTTPS. */
function enrolled(more: object = {}) {
  const emulated = new EmulatedDps();
  const key = emulated.dps.enroll({ ...enrollment, ...more }).deviceKey();
  const ask = (path: string, authorization?: string, method = "POST"): HttpReply | undefined =>
    emulated.dps.https.answer({ method, path, authorization, peer: { remoteAddress: "127.0.0.1", certificates: [] } });
  const lookUp = (authorization: string | undefined = emulated.token("dev:1", key)) => {
    const reply = ask("/0ne00ABCDEF/registrations/dev%3A1", authorization);
    return { ...reply, body: JSON.parse(reply?.body ?? "{}") };
  };
  return { emulated, key, ask, lookUp };
}

describe("a look-up over HTTPS", () => {
  test("tells the state of a registration, and makes none", async () => {
    const { emulated, key, lookUp } = enrolled();
    expect(lookUp()).toMatchObject({
      status: 404,
      body: { errorCode: 404201 },
      headers: { "x-ms-error-code": "404201" },
    });
    expect(emulated.dps.registrations).toEqual([]);
    await emulated.outcome("dev:1", { key });
    expect(lookUp()).toMatchObject({
      status: 200,
      body: { registrationId: "dev:1", status: "assigned", deviceId: "dev:1" },
    });
    expect(emulated.events.of("dps.look-up").map(({ status }) => status)).toEqual([404, 200]);
  });

  test("tells of a registration that failed, in the service's words", async () => {
    const { emulated, key, lookUp } = enrolled({ failure: { errorCode: 400209, message: "IotHubUnauthorizedAccess" } });
    await emulated.outcome("dev:1", { key });
    expect(lookUp().body).toMatchObject({
      status: "failed",
      errorCode: 400209,
      errorMessage: "IotHubUnauthorizedAccess",
    });
  });

  test("judges the credential as a registration does", () => {
    const { emulated, key, lookUp } = enrolled();
    const unauthorized = { status: 401, body: { errorCode: 401002 } };
    expect(lookUp("")).toMatchObject(unauthorized);
    expect(lookUp(emulated.token("dev:1", key, -1000))).toMatchObject(unauthorized);
    expect(lookUp(emulated.token("dev:1", "AAAAAAAAAAAAAAAAAAAAAA=="))).toMatchObject(unauthorized);
    expect(lookUp(emulated.token("dev:1", key, 1000, "0ne00OTHER"))).toMatchObject(unauthorized);
    expect(enrolled().ask("/0ne00ABCDEF/registrations/dev%3A1")?.status).toBe(401);
  });

  test("knows no other request", () => {
    const { ask } = enrolled();
    for (const [path, method] of [
      ["/", "GET"],
      ["/0ne00ABCDEF/registrations/dev%3A1", "GET"],
      ["/0ne00ABCDEF/registrations/dev%3A1/register", "PUT"],
      ["/0ne00ABCDEF/registrations/%", "POST"],
    ] as const) {
      expect(ask(path, "x", method), `${method} ${path}`).toBeUndefined();
    }
  });
});
