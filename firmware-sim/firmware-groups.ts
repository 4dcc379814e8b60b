import type { Clock } from "../src/clock.ts";
import { CommandMemory } from "./command-memory.ts";
import { type McuCommandFunction, usualCommands } from "./commands.ts";
import { commandsGroup } from "./groups/commands-group.ts";
import type { Group } from "./groups/group.ts";
import { identityGroup } from "./groups/identity-group.ts";
import { imageGroup } from "./groups/image-group.ts";
import { osGroup } from "./groups/os-group.ts";
import { settingsGroup } from "./groups/settings-group.ts";
import { statisticsGroup } from "./groups/statistics-group.ts";
import { telemetryGroup } from "./groups/telemetry-group.ts";
import type { Identity } from "./identity/identity.ts";
import { SignatureLimit } from "./identity/signature-limit.ts";
import { TpmSocket } from "./identity/tpm-socket.ts";
import { TpmTunnel } from "./identity/tpm-tunnel.ts";
import type { BootedBoard } from "./image/bootloader.ts";
import { ImageUpload } from "./image/image-upload.ts";
import { Sensors } from "./sensors.ts";
import { type SettingDefinition, Settings } from "./settings.ts";
import type { Tell } from "./simulated-mcu-events.ts";
import type { Statistics } from "./statistics.ts";
import { Telemetry, type TelemetryMessage } from "./telemetry.ts";

/** What a firmware is made for: the board and what its user wants of it. */
export interface FirmwareSetting {
  readonly board: Pick<BootedBoard, "memory" | "slots">;
  /** Of the image that runs. */
  readonly version: string;
  /** Tells this life from every other. */
  readonly boot: number;
  readonly identity: Identity;
  readonly boardName: string;
  readonly bufferBytes: number;
  readonly eraseMs: number;
  readonly settings: Readonly<Record<string, SettingDefinition>>;
  readonly commands: Readonly<Record<string, McuCommandFunction>>;
  readonly clock: Clock;
  readonly tell: Tell;
}

/** What the groups need of the life that they are made for. */
export interface FirmwareLife {
  readonly statistics: Statistics;
  /** Aborts when the life ends. */
  readonly signal: AbortSignal;
  readonly reset: () => void;
  /** Puts a message for the gateway on the line. */
  readonly say: (message: TelemetryMessage, sequence: number) => void;
  readonly log: (text: string) => void;
}

/** Header, names and numbers around a piece of data in an answer. */
const aroundPieceBytes = 64;

/** What a firmware does, made anew for each life: its groups, and what speaks unasked. */
export function firmwareGroups(
  setting: FirmwareSetting,
  life: FirmwareLife,
): { readonly groups: readonly Group[]; readonly telemetry: Telemetry } {
  const { board, boot, identity, bufferBytes, clock, tell } = setting;
  const { statistics, signal } = life;
  const settings = new Settings(setting.settings, board.memory);
  const newSensors = () => new Sensors(settings.effective["sensor/seed"] as number);
  let sensors = newSensors();
  const measure = () => sensors.read(settings.effective["sensor/offset"] as number);
  const telemetry = new Telemetry({
    clock,
    boot,
    signal,
    measure: () => ({ data: measure(), ...(settings.effective.alarm === true ? { props: { alarm: "on" } } : {}) }),
    periodMs: () => settings.effective["sampling/period_ms"] as number,
    say: life.say,
    onAnswered: (message) => tell("answered", message),
    counts: statistics.telemetry,
  });
  const onCommitted = () => {
    life.log("settings committed");
    telemetry.reconsider();
    tell("committed", settings.effective);
  };
  const { tpmSocket } = identity;
  const tpm = tpmSocket === undefined ? undefined : new TpmSocket(tpmSocket);
  const groups = [
    osGroup({
      bufferBytes,
      board: setting.boardName,
      registrationId: identity.registrationId,
      version: setting.version,
      reset: life.reset,
    }),
    imageGroup({
      slots: board.slots,
      upload: new ImageUpload(board.slots),
      whileErasing: async () => {
        if (setting.eraseMs > 0) await clock.sleep(setting.eraseMs, { signal });
      },
    }),
    statisticsGroup(statistics),
    settingsGroup(settings, onCommitted),
    identityGroup({
      identity,
      boot,
      limit: new SignatureLimit(identity.signaturesPerMinute, clock),
      tpm: tpm && new TpmTunnel((command) => tpm.transmit(command, signal)),
      pieceBytes: bufferBytes - aroundPieceBytes,
      counts: statistics.identity,
    }),
    telemetryGroup(telemetry, boot),
    commandsGroup({
      boot,
      commands: { ...usualCommands(), ...setting.commands },
      context: {
        clock,
        signal,
        measure,
        restartSensors: () => {
          sensors = newSensors();
        },
      },
      memory: new CommandMemory(),
      counts: statistics.commands,
      onExecuted: (command) => {
        life.log(`command ${command.name}`);
        tell("executed", command);
      },
    }),
  ];
  return { groups, telemetry };
}
