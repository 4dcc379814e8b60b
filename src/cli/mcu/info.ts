import type { ImageSlot } from "../../serial/groups/image-group.ts";
import { type AllStatistics, StatisticsGroup } from "../../serial/groups/statistics-group.ts";
import { type McuInfo, readMcuInfo } from "../../serial/mcu-info.ts";
import { whileUp } from "../../serial/while-up.ts";
import type { ExitCode, Invocation } from "../command.ts";
import { plainLine } from "../plain-text.ts";
import { openLink } from "./open-link.ts";

/** `landfall mcu info`. */
export async function info(invocation: Invocation): Promise<ExitCode> {
  const { options, terminal, signal } = invocation;
  await using link = await openLink(invocation);
  // Nobody sits and waits for a port to come back.
  const told = await whileUp(link, signal, async (whilePortStays) => ({
    ...(await readMcuInfo(link, { signal: whilePortStays })),
    statistics: await new StatisticsGroup(link).readAll({ signal: whilePortStays }),
  }));
  const text =
    options.json === true
      ? JSON.stringify({ schema: "landfall.mcu-info/1", port: link.portName, ...infoJson(told) })
      : infoLines(link.portName, told).join("\n");
  terminal.out.write(`${text}\n`);
  return 0;
}

/** What is printed. */
interface PrintedInfo extends McuInfo {
  readonly statistics: AllStatistics | undefined;
}

function infoJson({ identity, slots, ...rest }: PrintedInfo): object {
  return {
    ...rest,
    // A boot number may be larger than JSON's readers take.
    ...(identity === undefined ? {} : { identity: { ...identity, boot: String(identity.boot) } }),
    ...(slots === undefined ? {} : { slots: slots.map((slot) => ({ ...slot, hash: hexOf(slot) })) }),
  };
}

function infoLines(
  port: string,
  { identity, board, system, slots, commands, statistics, packetBytes }: PrintedInfo,
): string[] {
  const rows: [string, string | undefined][] = [
    ["port", port],
    ["registration id", identity?.registrationId],
    ["proves it with", identity?.kinds.join(", ")],
    ["board", board],
    ["system", system],
    ...(slots ?? []).map((slot): [string, string] => [slotName(slot), slotText(slot)]),
    ["commands", commands?.join(", ")],
    ["longest packet", `${packetBytes} bytes`],
    ...Object.entries(statistics ?? {}).map(([name, each], index): [string, string] => [
      index === 0 ? "statistics" : "",
      `${name}: ${countersText(each)}`,
    ]),
  ];
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(17)}${plainLine(value)}`]));
}

function countersText(counters: Readonly<Record<string, number>>): string {
  return Object.entries(counters)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}

function slotName({ image, slot }: ImageSlot): string {
  return image === 0 ? `slot ${slot}` : `image ${image} slot ${slot}`;
}

function slotText(slot: ImageSlot): string {
  const marks = [
    slot.active ? "running" : undefined,
    slot.confirmed ? "confirmed" : undefined,
    slot.pending ? "starts next" : undefined,
    slot.active && !slot.confirmed ? "on trial" : undefined,
    slot.bootable ? undefined : "does not start",
  ].filter((mark) => mark !== undefined);
  return [slot.version, marks.join(", "), hexOf(slot)?.slice(0, 16)].filter(Boolean).join("  ");
}

function hexOf({ hash }: ImageSlot): string | undefined {
  return hash === undefined ? undefined : Buffer.from(hash).toString("hex");
}
