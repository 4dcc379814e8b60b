import { expect, test } from "vitest";
import { type FoundRoute, Routes } from "../../../src/agent/routes.ts";
import type { ProvisioningSettings } from "../../../src/config/settings.ts";
import { createLogger } from "../../../src/log.ts";

function routes(source: "dps" | "manual"): { routes: Routes; found: FoundRoute[]; logged: unknown[] } {
  const provisioning = { source, globalEndpoint: "dps.example", iothubHostname: "hub.example" };
  const logged: unknown[] = [];
  const found: FoundRoute[] = [];
  const finder = new Routes({
    provisioning: provisioning as unknown as ProvisioningSettings,
    log: createLogger("info", ({ fields }) => logged.push(fields)),
  });
  finder.on("found", (route) => found.push(route));
  return { routes: finder, found, logged };
}

test("a way is told and logged when it is another than before to the same service", async () => {
  const { routes: finder, found, logged } = routes("dps");
  for (const host of ["hub-a.example", "hub-a.example", "hub-b.example", "hub-a.example"]) {
    expect(await finder.toDps()).toEqual({ host: "dps.example" });
    expect(await finder.toHub(host)).toEqual({ host });
  }
  expect(found.map(({ service, host, reason }) => [service, host, reason])).toEqual([
    ["dps", "dps.example", "configured"],
    ["hub", "hub-a.example", "assigned"],
    ["hub", "hub-b.example", "assigned"],
    ["hub", "hub-a.example", "assigned"],
  ]);
  expect(logged).toEqual(found);
});

test("a hub given by hand is configured, and there is no way to a DPS", async () => {
  const { routes: finder, found } = routes("manual");
  await finder.toHub("hub.example");
  expect(found).toEqual([{ service: "hub", host: "hub.example", reason: "configured" }]);
  await expect(finder.toDps()).rejects.toThrow(TypeError);
});

test("an abort ends the search", async () => {
  const reason = new Error("enough");
  const { routes: finder, found } = routes("dps");
  await expect(finder.toDps({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  await expect(finder.toHub("hub.example", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(found).toEqual([]);
});
