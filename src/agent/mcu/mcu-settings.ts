import { describeCause, isLandfallError } from "../../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../json.ts";
import { IdentityGroup } from "../../serial/groups/identity-group.ts";
import { SettingsGroup } from "../../serial/groups/settings-group.ts";
import { ifTold } from "../../serial/if-told.ts";
import type { SmpCallOptions, SmpClient } from "../../serial/smp-client.ts";
import { SmpRefusal } from "../../serial/smp-faults.ts";

/** The part of the twin that is the MCU's, in desired and in reported properties: a component of this name. */
export const mcuComponent = "mcu";

/** A setting that the twin wants: a value, or `null` for the firmware's own default. */
export interface WantedSetting {
  /** Names on the way to the value: `["sampling", "period_ms"]` is the setting `sampling/period_ms`. */
  readonly path: readonly string[];
  readonly value: JsonValue;
}

/** What became of a setting; the codes are those of HTTP, as Plug and Play has it. */
export interface SettingOutcome extends WantedSetting {
  readonly code: 200 | 400 | 404 | 500;
  readonly description: string;
}

/**
 * The settings in a change of the desired properties: objects are branches, everything else is a value. A patch that takes
 * the whole component away names none, since what was in it is not known here.
 */
export function wantedSettings(patch: JsonObject): readonly WantedSetting[] {
  const mine = patch[mcuComponent];
  return isJsonObject(mine) ? leaves(mine, []) : [];
}

function leaves(branch: JsonObject, path: readonly string[]): WantedSetting[] {
  return Object.entries(branch).flatMap(([name, value]) => {
    // The mark of a component is Plug and Play's; the other name would change the report instead of standing in it.
    if ((path.length === 0 && name === "__t") || name === "__proto__") return [];
    const here = [...path, name];
    return isJsonObject(value) ? leaves(value, here) : [{ path: here, value }];
  });
}

/** So many restarts of the firmware while settings are written are taken for bad luck; one more is reported. */
const mostRestarts = 3;

/**
 * Writes settings to the MCU and has those that it takes take effect together. Resolves with what became of each.
 * Rejects only when the MCU could not be asked: with `signal.reason`, `smp.timeout`, `serial.*`.
 */
export async function applySettings(
  client: SmpClient,
  wanted: readonly WantedSetting[],
  options: SmpCallOptions = {},
): Promise<readonly SettingOutcome[]> {
  for (let restarts = 0; ; restarts++) {
    const before = await bootOf(client, options);
    const outcomes = await writeAndCommit(client, wanted, options);
    // A restart forgets what was written and not committed; the commit behind it succeeds, and changes nothing.
    if (before === undefined || !outcomes.some(isApplied) || (await bootOf(client, options)) === before)
      return outcomes;
    if (restarts === mostRestarts) return withoutEffect(outcomes, "the firmware restarts again and again");
  }
}

async function writeAndCommit(
  client: SmpClient,
  wanted: readonly WantedSetting[],
  options: SmpCallOptions,
): Promise<readonly SettingOutcome[]> {
  const settings = new SettingsGroup(client);
  const outcomes: SettingOutcome[] = [];
  for (const setting of wanted) {
    const name = setting.path.join("/");
    const { value } = setting;
    const write = value === null ? settings.delete(name, options) : settings.write(name, value, options);
    outcomes.push({ ...setting, ...(await judged(write)) });
  }
  if (!outcomes.some(isApplied)) return outcomes;
  const commit = await judged(settings.commit(options));
  return isApplied(commit) ? outcomes : withoutEffect(outcomes, commit.description);
}

/** Which life of the firmware answers; undefined where it does not tell. */
async function bootOf(client: SmpClient, options: SmpCallOptions): Promise<number | bigint | undefined> {
  return (await ifTold(new IdentityGroup(client).identity(options)))?.boot;
}

function isApplied({ code }: Pick<SettingOutcome, "code">): boolean {
  return code === 200;
}

function withoutEffect(outcomes: readonly SettingOutcome[], why: string): SettingOutcome[] {
  const description = `written, and did not take effect: ${why}`;
  return outcomes.map((outcome) => (isApplied(outcome) ? { ...outcome, code: 500, description } : outcome));
}

async function judged(work: Promise<void>): Promise<Pick<SettingOutcome, "code" | "description">> {
  try {
    await work;
    return { code: 200, description: "applied" };
  } catch (error) {
    if (isLandfallError(error) && error.code === "smp.too-large") {
      return { code: 400, description: describeCause(error) };
    }
    if (!(error instanceof SmpRefusal)) throw error;
    // No entry, in the settings group as in SMP itself.
    return { code: error.fault.rc === 5 ? 404 : 400, description: error.message };
  }
}

/** What the twin is told: value, code, version and description of each setting; nothing of one that was taken away. */
export function settingsReport(outcomes: readonly SettingOutcome[], version: number): JsonObject {
  const report: Record<string, JsonValue> = { __t: "c" };
  for (const { path, value, code, description } of outcomes) {
    const isGone = value === null && (code === 200 || code === 404);
    place(report, path, isGone ? null : { value, ac: code, ad: description, av: version });
  }
  return { [mcuComponent]: report };
}

function place(tree: Record<string, JsonValue>, [name = "", ...rest]: readonly string[], value: JsonValue): void {
  if (rest.length === 0) {
    tree[name] = value;
    return;
  }
  const branch = isJsonObject(tree[name]) ? { ...tree[name] } : {};
  place(branch, rest, value);
  tree[name] = branch;
}
