import { expect, test } from "vitest";
import type { FoundWay, RouteFinder } from "../../../src/agent/route-finder.ts";
import { type FoundRoute, Routes } from "../../../src/agent/routes.ts";
import { createLogger } from "../../../src/log.ts";
import type { Route } from "../../../src/transport/transport.ts";

const way = (route: Route, more: Partial<FoundWay> = {}): FoundWay => ({
  route,
  path: "public",
  reason: "public-only",
  text: "a way",
  warnings: [],
  ...more,
});

function routesBy(finder: RouteFinder): { routes: Routes; found: FoundRoute[]; logged: string[] } {
  const found: FoundRoute[] = [];
  const logged: string[] = [];
  const routes = new Routes(
    finder,
    createLogger("info", ({ level, message }) => logged.push(`${level} ${message}`)),
  );
  routes.on("found", (route) => found.push(route));
  return { routes, found, logged };
}

test("a way is told and logged when it is another than before to the same service", async () => {
  const { routes, found, logged } = routesBy({
    toDps: async () => way({ host: "dps.example" }),
    toHub: async (host) => way({ host, addresses: ["10.0.0.4"] }, { path: "private" }),
  });
  for (const host of ["hub-a.example", "hub-a.example", "hub-b.example", "hub-a.example"]) {
    expect(await routes.toDps()).toEqual({ host: "dps.example" });
    expect(await routes.toHub(host)).toEqual({ host, addresses: ["10.0.0.4"] });
  }
  const hub = { service: "hub", addresses: ["10.0.0.4"], path: "private", reason: "public-only" };
  expect(found).toEqual([
    { service: "dps", host: "dps.example", path: "public", reason: "public-only" },
    { ...hub, host: "hub-a.example" },
    { ...hub, host: "hub-b.example" },
    { ...hub, host: "hub-a.example" },
  ]);
  expect(logged).toHaveLength(4);
});

test("another address of the same host is another way, and its warnings are logged with their remedies", async () => {
  const addresses = [["20.0.0.1"], ["10.0.0.4"]].values();
  const { routes, found, logged } = routesBy({
    toDps: async () =>
      way(
        { host: "dps.example", addresses: addresses.next().value ?? [] },
        { warnings: [{ code: "mixed-answers", text: "Odd.", remedy: "Look." }] },
      ),
    toHub: () => Promise.reject(new Error("not asked")),
  });
  await routes.toDps();
  await routes.toDps();
  expect(found.map(({ addresses: told }) => told)).toEqual([["20.0.0.1"], ["10.0.0.4"]]);
  expect(logged).toContain("warn Odd. Look.");
});

test("no way is the finder's error, and nothing is told", async () => {
  const nowhere = new Error("nowhere");
  const { routes, found } = routesBy({ toDps: () => Promise.reject(nowhere), toHub: () => Promise.reject(nowhere) });
  await expect(routes.toDps()).rejects.toBe(nowhere);
  await expect(routes.toHub("hub.example")).rejects.toBe(nowhere);
  expect(found).toEqual([]);
});

test("an abort ends the search before it begins", async () => {
  const reason = new Error("enough");
  const { routes } = routesBy({ toDps: async () => way({ host: "a" }), toHub: async (host) => way({ host }) });
  await expect(routes.toDps({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  await expect(routes.toHub("hub.example", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
