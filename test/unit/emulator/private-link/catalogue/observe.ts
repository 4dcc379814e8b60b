import type { DnsSight } from "../../../../../src/emulator/private-link/catalogue/row.ts";
import type { OpenStage } from "../../../../../src/emulator/private-link/catalogue/stage.ts";
import { isPublicAddress } from "../../../../../src/emulator/private-link/resources/address-space.ts";
import { askTcp, decoded, UdpClient, type WireResponse } from "../dns/dns-client.ts";

/** What one name server says about a name, told from the wire alone but for the world's own private addresses. */
export interface Observation {
  readonly sight: DnsSight;
  readonly addresses: readonly string[];
}

const nothing = (sight: DnsSight): Observation => ({ sight, addresses: [] });

/** Asks a name server of a staged place, as a careful client does, and says in the catalogue's words what it saw. */
export async function observe(staged: OpenStage, host: string, at: number): Promise<Observation> {
  const server = staged.place.nameServers[at] ?? "";
  const known = staged.place.queries(at).length;
  const client = new UdpClient(server);
  try {
    const answer = await Promise.race([client.askRaw(host, "A"), turnsAfterQuery(staged, at, known)]);
    if (typeof answer === "string") return nothing(answer);
    let response: WireResponse | undefined;
    try {
      response = decoded(answer);
    } catch {
      return nothing("unusable");
    }
    if (response.flag_tc) response = await askTcp(server, host, "A");
    return response === undefined ? nothing("cut") : interpret(staged, host, response);
  } finally {
    client.close();
  }
}

/** Gives an answer that may come its time: some turns of the event loop after the query is on record, or after it never was. */
async function turnsAfterQuery(staged: OpenStage, at: number, known: number): Promise<"silent" | "absent"> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return staged.place.queries(at).length > known ? "silent" : "absent";
}

function interpret({ scene }: OpenStage, host: string, response: WireResponse): Observation {
  if (response.rcode === "SERVFAIL") return nothing("servfail");
  if (response.rcode === "REFUSED") return nothing("refused");
  const records = (response.answers ?? []).flatMap((each) =>
    each.type === "A" || each.type === "CNAME" ? [{ name: each.name, type: each.type, data: String(each.data) }] : [],
  );
  const chain = [host];
  for (let owner: string | undefined = host; owner !== undefined; ) {
    owner = records.find((each) => each.type === "CNAME" && each.name === chain.at(-1))?.data;
    if (owner === undefined) break;
    if (chain.includes(owner) || chain.length > 16) return nothing("unusable");
    chain.push(owner);
  }
  const addresses = records.filter((each) => each.type === "A" && each.name === chain.at(-1)).map(({ data }) => data);
  const privatelink = chain.slice(1).some((each) => each.includes(".privatelink."));
  if (addresses.length === 0) {
    if (response.rcode === "NXDOMAIN") return nothing(privatelink ? "record-missing" : "not-found");
    return nothing(response.authorities?.length === 0 ? "address-stripped" : "not-found");
  }
  const inside = addresses.every((address) => scene.estate.networks.some((network) => network.covers(address)));
  if (inside) return { sight: privatelink ? "private" : "private-without-privatelink", addresses };
  if (!addresses.every(isPublicAddress)) return { sight: "forged", addresses };
  return { sight: privatelink ? "public-behind-privatelink" : "public", addresses };
}
