import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HttpRoute } from "../../../../src/emulator/https/http-route.ts";
import { Router } from "../../../../src/emulator/https/router.ts";
import { anyText } from "../../../support/any-text.ts";

const route = (method: HttpRoute["method"], path: string): HttpRoute => ({
  method,
  path,
  maxBodyBytes: 10,
  handle: () => "silence",
});
const routes = [route("GET", "/a/:b"), route("PUT", "/a/:b/c"), route("PUT", "/:store/*blob")];
const router = new Router(routes);
/** Any text, as a whole or as the parts of a path; with parts that routes know, escapes, and halves of escapes. */
const part = fc.oneof(anyText, fc.constantFrom("a", "c", "", ".", "%2F", "%", "%E0%A4%A", "%ZZ"));
const anyPath = fc.oneof(
  anyText,
  fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`),
);

describe("a router", () => {
  test("names the parts of a path, percent-decoded one by one", () => {
    expect(router.find("GET", "/a/x%2Fy%20z")).toEqual({ route: routes[0], parameters: { b: "x/y z" } });
  });

  test("takes the first route that fits", () => {
    expect(router.find("PUT", "/a/1/c")).toEqual({ route: routes[1], parameters: { b: "1" } });
  });

  test("takes all that is left of a path where a pattern says so", () => {
    expect(router.find("PUT", "/s/dev/logs/a%20b")).toEqual({
      route: routes[2],
      parameters: { store: "s", blob: "dev/logs/a b" },
    });
  });

  test.each([
    ["GET", "/", "no-such-path"],
    ["GET", "/a/", "no-such-path"],
    ["GET", "/b", "no-such-path"],
    ["POST", "/a/b", "no-such-method"],
    ["GET", "/a/%E0%A4%A", "malformed-path"],
  ])("says why it has no route for %s %s", (method, path, fault) => {
    expect(router.find(method, path)).toBe(fault);
  });

  test("has a route or a reason for whatever path there is", () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        const found = router.find("PUT", path);
        expect(typeof found === "string" || routes.includes(found.route)).toBe(true);
      }),
    );
  });
});
