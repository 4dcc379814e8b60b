import type { PacketFacts } from "./packet-facts.ts";

/** What the two clients sent to one service. */
export interface WireComparison {
  readonly title: string;
  readonly sdk: readonly PacketFacts[];
  readonly landfall: readonly PacketFacts[];
}

/** One difference. */
export interface Difference {
  /** `{title}/{packet}/{field}`: where its explanation is found. */
  readonly key: string;
  readonly field: string;
  readonly sdk: string;
  readonly landfall: string;
}

interface ComparedPacket {
  readonly name: string;
  /** Fields that are the same, in words. */
  readonly same: readonly string[];
  readonly differences: readonly Difference[];
}

/** Every packet that either of the two sent, in the order of the SDK, with what is only landfall's where it stands there. */
function compare({ title, sdk, landfall }: WireComparison): readonly ComparedPacket[] {
  const names = sdk.map(({ name }) => name);
  for (const [index, { name }] of landfall.entries()) {
    if (names.includes(name)) continue;
    const before = landfall[index - 1]?.name;
    names.splice(before === undefined ? 0 : names.indexOf(before) + 1, 0, name);
  }
  return names.map((name) => {
    const [theirs, ours] = [sdk, landfall].map((packets) => packets.find((packet) => packet.name === name));
    const keyOf = (field: string): string => `${title}/${name}/${field}`;
    if (theirs === undefined || ours === undefined) {
      const sent = (packet: PacketFacts | undefined): string => (packet === undefined ? "not sent" : "sent");
      return {
        name,
        same: [],
        differences: [{ key: keyOf("sent"), field: "", sdk: sent(theirs), landfall: sent(ours) }],
      };
    }
    const fields = [...new Set([...Object.keys(theirs.fields), ...Object.keys(ours.fields)])];
    const pairs = fields.map((field) => {
      const [one = "absent", other = "absent"] = [theirs.fields[field], ours.fields[field]];
      return { key: keyOf(field), field, sdk: one, landfall: other };
    });
    const same = pairs
      .filter((pair) => pair.sdk === pair.landfall)
      .map(({ field, sdk: value }) => `${field} ${code(value)}`);
    return { name, same, differences: pairs.filter((pair) => pair.sdk !== pair.landfall) };
  });
}

/** All differences. */
export function differencesIn(comparisons: readonly WireComparison[]): readonly Difference[] {
  return comparisons.flatMap(compare).flatMap(({ differences }) => differences);
}

/** The page with every packet, what is the same, what differs, and why. */
export function wirePage(comparisons: readonly WireComparison[], why: Readonly<Record<string, string>>): string {
  return `${[
    "# On the wire, beside the Azure SDK",
    "The same device registers with a symmetric key, connects to the hub it is assigned, and sends one message with " +
      "properties: once by Microsoft's device libraries for Node over MQTT, once by landfall's agent. Every packet that the " +
      "device sends was written down at the emulator; what differs from run to run (ids, signatures, versions) is in braces. " +
      "This page is written by the test that compares the two (`UPDATE_DOCS=1 npx vitest run --project conformance`); a " +
      "difference that nobody has explained fails it.",
    ...comparisons.flatMap((comparison) => [
      `## ${comparison.title}`,
      `Order of the SDK: ${order(comparison.sdk)}.`,
      `Order of landfall: ${order(comparison.landfall)}.`,
      ...compare(comparison).map((packet) => section(packet, why)),
    ]),
  ].join("\n\n")}\n`;
}

function section({ name, same, differences }: ComparedPacket, why: Readonly<Record<string, string>>): string {
  const rows = differences.map(
    ({ key, field, sdk, landfall }) =>
      `| ${field === "" ? "the packet" : field} | ${cell(field, sdk)} | ${cell(field, landfall)} | ${why[key] ?? ""} |`,
  );
  return [
    `### ${name}`,
    ...(same.length === 0 ? [] : [`The same: ${same.join(", ")}.`]),
    ...(rows.length === 0
      ? ["No difference."]
      : [["| field | Azure SDK | landfall | why |", "|---|---|---|---|", ...rows].join("\n")]),
  ].join("\n\n");
}

function order(packets: readonly PacketFacts[]): string {
  return packets.map(({ name }) => name).join(" → ");
}

function cell(field: string, value: string): string {
  return field === "" ? value : code(value);
}

function code(value: string): string {
  return value === "" ? "empty" : `\`${value}\``;
}
