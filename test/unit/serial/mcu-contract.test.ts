import { describe, expect, test } from "vitest";
import { Cddl } from "../../support/cddl.ts";
import { contract, contractFault, rulesInUse } from "../../support/mcu-contract.ts";
import { packetVector, smpVectors, vectorValue } from "./smp-vectors.ts";

describe("docs/mcu.cddl", () => {
  test("has a rule for every message, and no other", () => {
    expect([...contract.names].sort()).toEqual([...rulesInUse].sort());
  });

  test.each(smpVectors.packets.filter(({ group }) => group >= 70 || group === 3))("is followed by: $name", (vector) => {
    const message = { ...vector, operation: vector.op, body: vectorValue(vector.body) as object };
    expect(contractFault(message)).toBeUndefined();
  });

  test.each([
    ["identity response", { rid: "" }, "identity-response.rid: size 0 is not from 1 to 128"],
    ["identity response", { kinds: ["rsa"] }, 'identity-response.kinds[0]: not "sas"'],
    ["identity response", { boot: -1 }, "identity-response.boot: not uint"],
    ["token for DPS", { for: "event-hub" }, 'sas-request.for: not "dps"'],
    ["token for DPS", { more: 1 }, 'sas-request: "more" is not expected'],
    ["signature request", { hash: new Uint8Array(31) }, "sign-request.hash: size 31 is not from 32 to 32"],
    ["piece of a TPM command", { len: 4097 }, "tpm-request.len: value 4097 is not from 0 to 4096"],
    ["telemetry from the MCU", { data: {} }, "telemetry-request.data: is empty"],
    ["telemetry from the MCU", { props: { a: 1 } }, "telemetry-request.props.a: not text"],
    ["command request", { boot: undefined }, "command-request.boot: not uint"],
  ])("is not followed by: %s with %j", (name, change, fault) => {
    const { op: operation, ...vector } = packetVector(name);
    const body = { ...(vectorValue(vector.body) as object), ...change };
    expect(contractFault({ ...vector, operation, body })).toContain(fault);
  });

  test("lets answers grow, and knows no other commands in its groups", () => {
    const { op: operation, ...vector } = packetVector("identity response");
    const body = { ...(vectorValue(vector.body) as object), novelty: [1] };
    expect(contractFault({ ...vector, operation, body })).toBeUndefined();
    expect(contractFault({ ...vector, operation, command: 9, body })).toBe("read-response 70/9 is not in the contract");
  });
});

test("the checker tells a missing name, a wrong map, a wrong list", () => {
  const cddl = new Cddl('a = { "b" => uint, ? "c" => [* text] } ; comment\nd = a / bool', () => undefined);
  expect(cddl.fault("a", {})).toBe('a: "b" is missing');
  expect(cddl.fault("a", [])).toBe("a: not a map");
  expect(cddl.fault("a", { b: 1, c: 2 })).toBe("a.c: not a list");
  expect(cddl.fault("d", false)).toBeUndefined();
  expect(cddl.fault("d", "x")).toContain("d: not bool");
});
