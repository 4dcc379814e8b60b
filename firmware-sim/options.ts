import type { Clock } from "../src/clock.ts";
import type { McuCommandFunction } from "./commands.ts";
import type { Flash } from "./flash/flash.ts";
import type { McuIdentityOptions } from "./identity/identity.ts";
import type { SettingDefinition } from "./settings.ts";

/** How a simulated MCU is made; everything has a default. */
export interface SimulatedMcuOptions {
  readonly identity?: McuIdentityOptions;
  /**
   * Where images, settings and the count of starts last: the path of a file, which is made when it is missing, or flash of
   * another kind. Default: in memory.
   */
  readonly flash?: string | Flash;
  /** Same seed, same serial number, key and readings. Default: another board each time. */
  readonly seed?: number;
  /** Default: the machine's own. */
  readonly clock?: Clock;
  /** What the firmware says when it is asked for its board. Default `landfall-mcu-sim`. */
  readonly board?: string;
  /** Bytes of the buffer that a packet, its length and its CRC share, 256 to 8192. Default 1024. */
  readonly bufferBytes?: number;
  /** How long a start takes, in milliseconds; meanwhile nothing is heard. Default 0. */
  readonly startMs?: number;
  /** How long erasing a slot takes, in milliseconds. Default 0. */
  readonly eraseMs?: number;
  /** After so long a hanging image or firmware is reset, in milliseconds. Default 1000. */
  readonly watchdogMs?: number;
  /** Settings beside those of the sample firmware, by name. */
  readonly settings?: Readonly<Record<string, SettingDefinition>>;
  /** Commands beside those of the sample firmware, by name. */
  readonly commands?: Readonly<Record<string, McuCommandFunction>>;
}
