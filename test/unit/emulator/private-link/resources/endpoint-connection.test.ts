import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ConnectionStatus,
  type OwnerAction,
  PrivateEndpointConnection,
  statusAfter,
} from "../../../../../src/emulator/private-link/resources/endpoint-connection.ts";

const statuses: readonly ConnectionStatus[] = ["Pending", "Approved", "Rejected", "Disconnected"];
const actions: readonly OwnerAction[] = ["approve", "reject", "remove"];

const connection = (settings: { approval?: "automatic" | "manual"; requestMessage?: string } = {}) =>
  new PrivateEndpointConnection({ name: "c", addresses: new Map([["service", "10.20.0.5"]]), ...settings });

describe("a private endpoint connection", () => {
  test("is approved at once when the requester may approve for the owner", () => {
    expect(connection({ approval: "automatic" }).status).toBe("Approved");
  });

  test("waits for the owner otherwise, with the requester's message", () => {
    const requested = connection({ approval: "manual", requestMessage: "for site 23" });
    expect(requested.status).toBe("Pending");
    expect(requested.requestMessage).toBe("for site 23");
  });

  test("follows the owner, who may change his mind", () => {
    const requested = connection({ approval: "manual" });
    requested.approve("welcome");
    expect([requested.status, requested.ownerMessage]).toEqual(["Approved", "welcome"]);
    requested.reject("not any more");
    expect([requested.status, requested.ownerMessage]).toEqual(["Rejected", "not any more"]);
    requested.approve();
    expect([requested.status, requested.ownerMessage]).toEqual(["Approved", undefined]);
  });

  test("cannot be brought back once the owner removed it", () => {
    const removed = connection();
    removed.remove();
    expect(removed.status).toBe("Disconnected");
    for (const action of actions) {
      expect(() => removed[action]()).toThrow(expect.objectContaining({ code: "emulator.rejected" }));
    }
  });

  test("takes a request message of 140 characters and no more", () => {
    expect(connection({ requestMessage: "x".repeat(140) }).status).toBe("Approved");
    expect(() => connection({ requestMessage: "x".repeat(141) })).toThrow(/140 characters, got 141/);
  });

  test("is in the state that the last action names, whatever came before, until it is removed", () => {
    const named = { approve: "Approved", reject: "Rejected", remove: "Disconnected" };
    fc.assert(
      fc.property(fc.constantFrom(...statuses), fc.array(fc.constantFrom(...actions)), (first, wanted) => {
        let status = first;
        for (const action of wanted) {
          const next = statusAfter(status, action);
          expect(next).toBe(status === "Disconnected" ? undefined : named[action]);
          status = next ?? status;
        }
      }),
    );
  });
});
