/** A microcontroller on this machine that speaks SMP, for tests: `import { SimulatedMcu } from "landfall/mcu-sim"`. */
export type { CommandContext, CommandResult, McuCommandFunction } from "./commands.ts";
export type { Flash } from "./flash/flash.ts";
export type { ExecutedCommand } from "./groups/commands-group.ts";
export type { McuIdentityOptions } from "./identity/identity.ts";
export { type McuImageRecipe, makeMcuImage } from "./image/make-image.ts";
export type { AttachLine, Line } from "./lines/line.ts";
export { type LinePlace, openLine } from "./lines/open-line.ts";
export type { Misbehaviour, MisbehaviourKind } from "./misbehaviour.ts";
export type { SimulatedMcuOptions } from "./options.ts";
export type { SettingDefinition } from "./settings.ts";
export { SimulatedMcu } from "./simulated-mcu.ts";
export type { AskedRequest, SimulatedMcuEvents } from "./simulated-mcu-events.ts";
export type { TelemetryMessage } from "./telemetry.ts";
export type { Body, Value } from "./wire/value.ts";
