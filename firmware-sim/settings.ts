import type { BoardMemory } from "./flash/board-memory.ts";
import type { Body, Value } from "./wire/value.ts";

/** A setting that the firmware knows. */
export type SettingDefinition =
  | { readonly kind: "number"; readonly least: number; readonly most: number; readonly initially: number }
  | { readonly kind: "flag"; readonly initially: boolean }
  | { readonly kind: "text"; readonly mostBytes: number; readonly initially: string };

/** The settings of the sample firmware. Numbers are whole. */
export const usualSettings: Readonly<Record<string, SettingDefinition>> = {
  "sampling/period_ms": { kind: "number", least: 100, most: 3_600_000, initially: 5_000 },
  "sensor/seed": { kind: "number", least: 1, most: 2 ** 31 - 1, initially: 1 },
  /** Hundredths of a degree. */
  "sensor/offset": { kind: "number", least: -1_000, most: 1_000, initially: 0 },
  /** Percent. */
  "led/brightness": { kind: "number", least: 0, most: 100, initially: 50 },
  alarm: { kind: "flag", initially: false },
  label: { kind: "text", mostBytes: 32, initially: "" },
};

/** Settings by name: what is written goes into a draft, which commit puts into effect and into flash as a whole. */
export class Settings {
  readonly #definitions: Readonly<Record<string, SettingDefinition>>;
  readonly #memory: BoardMemory;
  #effective: Body = {};
  #draft: Record<string, Value> = {};

  constructor(definitions: Readonly<Record<string, SettingDefinition>>, memory: BoardMemory) {
    this.#definitions = definitions;
    this.#memory = memory;
    this.load();
  }

  /** What is in effect, by name. */
  get effective(): Body {
    return this.#effective;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#definitions, name);
  }

  /** Takes a value into the draft; false when it is of another kind or out of range. */
  draft(name: string, value: Value): boolean {
    const definition = this.#definitions[name];
    if (definition === undefined || !fits(value, definition)) return false;
    this.#draft[name] = value;
    return true;
  }

  /** Puts the default into the draft. */
  draftDefault(name: string): void {
    this.#draft[name] = this.#definitions[name]?.initially ?? null;
  }

  commit(): void {
    this.#memory.change({ settings: { ...this.#draft } });
    this.#effective = { ...this.#draft };
  }

  /** Forgets the draft; reads what was committed. What an older firmware committed and this one does not take has its default. */
  load(): void {
    const { settings } = this.#memory.content;
    for (const name of Object.keys(this.#definitions)) {
      if (!this.draft(name, settings[name] ?? null)) this.draftDefault(name);
    }
    this.#effective = { ...this.#draft };
  }
}

function fits(value: Value, definition: SettingDefinition): boolean {
  switch (definition.kind) {
    case "number":
      return Number.isInteger(value) && (value as number) >= definition.least && (value as number) <= definition.most;
    case "flag":
      return typeof value === "boolean";
    case "text":
      return typeof value === "string" && Buffer.byteLength(value) <= definition.mostBytes;
  }
}
