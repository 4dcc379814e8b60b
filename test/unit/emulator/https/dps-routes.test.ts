import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { dpsRoutes } from "../../../../src/emulator/https/dps-routes.ts";
import { CertificateAuthority } from "../../../../src/emulator/index.ts";
import { answerOf, askRoutes } from "../../../support/ask-routes.ts";
import { EmulatedDps } from "../../../support/emulated-dps.ts";

const version = "api-version=2021-06-01";
const device = "/0ne00ABCDEF/registrations/dev";
const jsonType = { "content-type": "application/json; charset=utf-8" };

/** An emulated DPS with one enrolled device, and ways to ask it as that device. */
function enrolled() {
  const emulated = new EmulatedDps();
  const enrollment = emulated.dps.enroll({ registrationId: "dev", attestation: { method: "symmetric_key" } });
  const key = enrollment.deviceKey();
  const headers = { authorization: emulated.token("dev", key) };
  const routes = dpsRoutes(emulated.dps);
  const ask = (line: Parameters<typeof askRoutes>[1], body = "") => askRoutes(routes, line, { headers, body });
  const register = (body = "{}") => answerOf(ask(`PUT ${device}/register?${version}`, body));
  const poll = (operationId: unknown, body = "") => {
    return answerOf(ask(`GET ${device}/operations/${operationId}?${version}`, body));
  };
  const lookUp = (body = '{"registrationId":"dev"}') => answerOf(ask(`POST ${device}?${version}`, body));
  return { emulated, key, routes, ask, register, poll, lookUp };
}

describe("DPS over HTTPS", () => {
  test("registers: accepted, assigning, assigned, with the delay in a header", () => {
    const { emulated, register, poll } = enrolled();
    const accepted = register('{"registrationId":"dev"}');
    expect(accepted).toMatchObject({
      status: 202,
      headers: { ...jsonType, "retry-after": "3" },
      json: { status: "assigning" },
    });
    const { operationId } = accepted.json;
    expect(poll(operationId)).toMatchObject({ status: 202, headers: { "retry-after": "3" } });
    const assigned = poll(operationId);
    expect(assigned).toMatchObject({
      status: 200,
      headers: jsonType,
      json: { operationId, status: "assigned", registrationState: { deviceId: "dev", status: "assigned" } },
    });
    expect(assigned.headers).not.toHaveProperty("retry-after");
    expect(emulated.events.of("dps.register")).toMatchObject([{ transport: "https", status: 202 }]);
    expect(emulated.events.of("dps.poll").map(({ transport }) => transport)).toEqual(["https", "https"]);
  });

  test("does not mind a body in a poll, nor none in a registration", () => {
    const { register, poll } = enrolled();
    expect(poll(register("").json.operationId, "{}").status).toBe(202);
  });

  test("takes ids that are percent-encoded where they need not be", () => {
    const { ask } = enrolled();
    expect(answerOf(ask(`PUT /0ne00%41BCDEF/registrations/%64ev/register?${version}`, "{}")).status).toBe(202);
  });

  test("takes a certificate instead of a token", async () => {
    const root = await CertificateAuthority.create({ commonName: "Root" });
    const notBefore = new Date("2025-01-01"); // the clock of the test stands still at a time of its own
    const { certificatePem } = await root.issue({ commonName: "dev", usage: "client", notBefore });
    const { dps } = new EmulatedDps();
    dps.enroll({ registrationId: "dev", attestation: { method: "x509", certificate: certificatePem } });
    const routes = dpsRoutes(dps);
    const put = `PUT ${device}/register?${version}` as const;
    const certificates = [new X509Certificate(certificatePem)];
    expect(answerOf(askRoutes(routes, put, { certificates })).status).toBe(202);
    expect(answerOf(askRoutes(routes, put)).status).toBe(401);
  });

  test("judges every request by itself", () => {
    const { routes, register } = enrolled();
    const { operationId } = register().json;
    const poll = askRoutes(routes, `GET ${device}/operations/${operationId}?${version}`, {
      headers: { authorization: "SharedAccessSignature sr=x&sig=y&se=1" },
    });
    expect(answerOf(poll)).toMatchObject({
      status: 401,
      headers: jsonType,
      json: { errorCode: 401002, message: "Unauthorized", trackingId: expect.any(String) },
    });
  });

  test.each(["", "api-version=", "api-version=new"])("answers 400 to the query '%s'", (query) => {
    const { ask } = enrolled();
    expect(answerOf(ask(`PUT ${device}/register?${query}`)).status).toBe(400);
  });

  test("takes any well-formed api-version", () => {
    const { ask } = enrolled();
    const put = (query: string) => answerOf(ask(`PUT ${device}/register?${query}&forceRegistration=true`)).status;
    expect([put("api-version=2019-03-31"), put("api-version=2025-07-01-preview")]).toEqual([202, 202]);
  });

  test("serves scripted faults", () => {
    const { emulated, register, ask } = enrolled();
    const { faults } = emulated.dps;
    faults.next("dev", "register", { status: 429, retryAfterSeconds: 7 });
    expect(register()).toMatchObject({ status: 429, headers: { "retry-after": "7" }, json: { errorCode: 429001 } });
    faults.next("dev", "register", "silence");
    expect(ask(`PUT ${device}/register?${version}`)).toBe("silence");
    faults.next("dev", "register", "drop");
    expect(ask(`PUT ${device}/register?${version}`)).toBe("drop");
    faults.next("dev", "look-up", { status: 503 });
    expect(answerOf(ask(`POST ${device}?${version}`)).status).toBe(503);
    expect(faults.served).toHaveLength(4);
  });

  test("registers as often as it is asked to, but not while the device waits for its result over MQTT", async () => {
    const { emulated, key, register } = enrolled();
    expect([register().status, register().status]).toEqual([202, 202]);
    const device = await emulated.connect("dev", { key });
    await device.ask("$dps/registrations/PUT/iotdps-register/?$rid=1");
    expect(register()).toMatchObject({ status: 412, json: { errorCode: 412001 } });
    await device.leave();
    await emulated.events.next("dps.disconnected");
    expect(register().status).toBe(202);
  });

  test("turns everybody away, or keeps silent, while its owner wants it", () => {
    const { emulated, register, ask } = enrolled();
    emulated.dps.refuse("unavailable");
    expect(register()).toMatchObject({ status: 503, json: { errorCode: 503001 } });
    emulated.dps.refuse("unauthorized");
    expect(register().status).toBe(401);
    emulated.dps.refuse(undefined);
    emulated.dps.silent(true);
    expect(ask(`PUT ${device}/register?${version}`)).toBe("silence");
  });
});

describe("a look-up", () => {
  test("is a 404 before the first registration", () => {
    const { lookUp } = enrolled();
    expect(lookUp()).toMatchObject({ status: 404, json: { errorCode: 404201 } });
  });

  test("tells how the last registration stands, and starts none", () => {
    const { emulated, register, poll, lookUp } = enrolled();
    const { operationId } = register().json;
    expect(lookUp()).toMatchObject({ status: 200, json: { registrationId: "dev", status: "assigning" } });
    poll(operationId);
    const { registrationState } = poll(operationId).json;
    expect(lookUp().json).toEqual(registrationState);
    expect(emulated.events.of("dps.register")).toHaveLength(1);
    expect(emulated.events.of("dps.look-up").map(({ status }) => status)).toEqual([200, 200]);
  });

  test("needs the device's credential", () => {
    const { routes } = enrolled();
    expect(answerOf(askRoutes(routes, `POST ${device}?${version}`)).status).toBe(401);
  });

  test("takes no certificate signing request, and no body that is none", () => {
    const { lookUp } = enrolled();
    expect(lookUp('{"csr":"MIH"}')).toMatchObject({ status: 400, json: { errorCode: 400004 } });
    expect(lookUp("[]").status).toBe(400);
  });
});
