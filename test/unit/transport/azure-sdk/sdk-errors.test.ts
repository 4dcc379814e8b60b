import { describe, expect, test } from "vitest";
import { LandfallError } from "../../../../src/errors.ts";
import { connectionError } from "../../../../src/transport/azure-sdk/sdk-errors.ts";

const failure = (message: string, more: object = {}): Error => Object.assign(new Error(message), more);
const first = "Failure on first connection (Not authorized): ";

describe("an error of the Azure SDK at a connection", () => {
  test.each([
    [failure("Connection refused: Not authorized", { code: 5 }), "transport.unauthorized"],
    [failure("Connection refused: Server unavailable", { code: 3 }), "transport.unavailable"],
    [failure(`${first}Connection refused: Not authorized`), "transport.unauthorized"],
    [failure(`mqtt.js returned ${first}Connection refused: Server unavailable error`), "transport.unavailable"],
    [failure(`${first}Connection refused: Identifier rejected`), "transport.identifier-rejected"],
    [failure(`${first}connect ECONNREFUSED 127.0.0.1:8883`), "endpoint.connect-failed"],
    [failure(`${first}getaddrinfo ENOTFOUND hub.example`), "endpoint.name-not-found"],
    [failure("getaddrinfo EAI_AGAIN hub.example", { code: "EAI_AGAIN" }), "endpoint.name-not-found"],
    [failure("connect ETIMEDOUT 192.0.2.1:8883", { code: "ETIMEDOUT" }), "endpoint.connect-timeout"],
    [failure("self-signed certificate", { code: "SELF_SIGNED_CERT_IN_CHAIN" }), "endpoint.tls-untrusted"],
    [failure(`${first}unable to verify the first certificate`), "endpoint.tls-untrusted"],
    [failure("Hostname/IP does not match", { code: "ERR_TLS_CERT_ALTNAME_INVALID" }), "endpoint.tls-untrusted"],
    [failure("read ECONNRESET", { code: "ECONNRESET" }), "transport.closed"],
    [failure("something new"), "transport.closed"],
  ])("%s becomes what it is: %s", (error, code) => {
    expect(connectionError("hub.test", error)).toMatchObject({ code, cause: error });
  });

  test("is looked at behind the one that the SDK made of it", () => {
    const wrapped = failure("mqtt.js returned something", { transportError: failure("no", { code: 2 }) });
    expect(connectionError("hub.test", wrapped).code).toBe("transport.identifier-rejected");
  });

  test("does not repeat the words that are in front of every first failure", () => {
    const { message } = connectionError("hub.test", failure(`${first}connect ECONNREFUSED 127.0.0.1:8883`));
    expect(message).toBe("could not connect to hub.test: connect ECONNREFUSED 127.0.0.1:8883");
  });

  test("of ours stays as it is", () => {
    const ours = new LandfallError("key.unusable", "no");
    expect(connectionError("hub.test", ours)).toBe(ours);
  });
});
