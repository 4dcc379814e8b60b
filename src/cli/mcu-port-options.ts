import type { OptionSpec } from "./command.ts";

/** The options that tell where the MCU is. */
export const mcuPortOptions = {
  port: {
    type: "string",
    short: "p",
    value: "PORT",
    help: "a serial device, tcp://HOST:PORT or unix:PATH (default: [mcu] port of the configuration)",
  },
  baud: { type: "string", short: "b", value: "RATE", help: "bits per second of a serial device (default: 115200)" },
} as const satisfies Record<string, OptionSpec>;
