import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { stagedRows } from "../../src/emulator/private-link/catalogue/catalogue.ts";
import type { StagedRow } from "../../src/emulator/private-link/catalogue/row.ts";
import { openStage } from "../../src/emulator/private-link/catalogue/stage.ts";
import { unstagedFailures } from "../../src/emulator/private-link/catalogue/unstaged-failures.ts";
import { decideEndpoint, decideHub } from "../../src/endpoint/decision.ts";
import { createDnsQuery } from "../../src/endpoint/dns-query.ts";
import type { EndpointDecision } from "../../src/endpoint/endpoint-decision.ts";
import { type EndpointSettings, endpointDefaults } from "../../src/endpoint/endpoint-settings.ts";
import type { EndpointEvidence } from "../../src/endpoint/evidence.ts";
import { gatherEvidence } from "../../src/endpoint/gather-evidence.ts";
import { parseHostsFile } from "../../src/endpoint/hosts-file.ts";
import { parseNameServer } from "../../src/endpoint/name-server.ts";
import { emptyMemory, type NetworkMemory, withSighting } from "../../src/endpoint/network-memory.ts";
import { expectedOf } from "../support/expected-diagnoses.ts";
import { sceneHosts } from "../support/private-link-device.ts";
import { type DecidedRow, type DecisionCase, privateLinkPage } from "../support/private-link-page.ts";

const page = fileURLToPath(new URL("../../docs/private-link.md", import.meta.url));
const { dps, hub, global, govHub } = sceneHosts;
const idScope = "0ne00000001";
const usual: EndpointSettings = { ...endpointDefaults, idScope, dpsName: "mydps" };

interface RunCase extends DecisionCase {
  readonly settings: EndpointSettings;
  readonly memory: (now: number) => NetworkMemory;
}

const never = (): NetworkMemory => emptyMemory;

/** Both services were private, longer ago than addresses are good for. */
function longAgo(now: number): NetworkMemory {
  const then = now - 7 * 24 * 3_600_000;
  const withDps = withSighting(emptyMemory, { role: "dps", host: dps, idScope }, "10.20.0.5", then);
  return withSighting(withDps, { role: "hub", host: hub }, "10.20.0.6", then);
}

const cases: readonly RunCase[] = [
  { title: "defaults", meaning: "`dps_name` is set, and nothing else.", settings: usual, memory: never },
  {
    title: '`network = "private"`',
    meaning: 'beside `dps_name`. `data_residency = "strict"` decides the same about DPS.',
    settings: { ...usual, network: "private" },
    memory: never,
  },
  {
    title: "was private",
    meaning: "the defaults, on a device whose paths were private a week ago.",
    settings: usual,
    memory: longAgo,
  },
  {
    title: "no `dps_name`",
    meaning: "without `dps_name` a private endpoint of the DPS cannot be found.",
    settings: { ...endpointDefaults, idScope },
    memory: never,
  },
];

/** The hub that a row is about; the scene's own for every row but one. */
const hubOf = (id: string): string => (id === "hub-in-another-cloud" ? govHub : hub);

async function observe(id: string): Promise<EndpointEvidence> {
  // Only name servers are asked, so nothing has to be behind the addresses.
  const { world, place } = await openStage(id, { upstreams: { services: {} } });
  try {
    return await gatherEvidence([dps, global, hubOf(id)], {
      clock: systemClock,
      query: createDnsQuery({ clock: systemClock }),
      nameServers: place.nameServers.flatMap((text) => parseNameServer(text) ?? []),
      hosts: parseHostsFile(place.hostsFile, "/etc/hosts"),
    });
  } finally {
    await world.close();
  }
}

function decide({ id, kinds }: StagedRow, evidence: EndpointEvidence, { settings, memory }: RunCase): EndpointDecision {
  const remembered = memory(evidence.gatheredAt);
  const dpsDecision = decideEndpoint(settings, evidence, remembered);
  if (kinds[0] !== "hub") return dpsDecision;
  const { host = dps, path } = dpsDecision;
  return decideHub(settings, { host: hubOf(id), dps: { host, path } }, evidence, remembered);
}

async function decideRow(row: StagedRow): Promise<DecidedRow> {
  const evidence = await observe(row.id);
  return {
    id: row.id,
    service: row.kinds[0] === "hub" ? "hub" : "DPS",
    decisions: cases.map((each) => decide(row, evidence, each)),
  };
}

/** Some rows wait for name servers that never answer, so a few go side by side. */
async function decideAll(width: number): Promise<DecidedRow[]> {
  const decided: DecidedRow[] = [];
  const left = stagedRows.entries();
  const work = async (): Promise<void> => {
    for (const [at, row] of left) decided[at] = await decideRow(row);
  };
  await Promise.all(Array.from({ length: width }, work));
  return decided;
}

test("docs/private-link.md says what happens in every world that is staged (UPDATE_DOCS=1 rewrites it)", async () => {
  const decided = await decideAll(6);
  const diagnosed = stagedRows.map(({ id, kinds: [kind = "dps"] }) => ({ id, ...expectedOf(id, kind) }));
  const text = privateLinkPage({ rows: stagedRows, cases, decided, diagnosed, unstaged: unstagedFailures });
  if (process.env.UPDATE_DOCS) writeFileSync(page, text);
  expect(readFileSync(page, "utf8")).toBe(text);

  // Whatever the tables say, this holds in each of them.
  const dpsRows = decided.filter(({ service }) => service === "DPS");
  for (const { id, decisions } of dpsRows) {
    const [, strict, wasPrivate] = decisions;
    expect({ id, path: strict?.kind === "none" ? "private" : strict?.path }).toEqual({ id, path: "private" });
    expect({ id, global: wasPrivate?.kind === "global" }).toEqual({ id, global: false });
  }
});
