import type { Command } from "./command.ts";
import type { CommandSummary } from "./help.ts";

/** A command before it is loaded. */
export interface CommandEntry extends CommandSummary {
  load(): Promise<Command>;
}

/** Every command of the program, in the order in which a newcomer meets them. */
export const commands: readonly CommandEntry[] = [
  {
    name: "init",
    summary: "write a commented landfall.toml",
    load: async () => (await import("./init.ts")).init,
  },
  {
    name: "run",
    summary: "the agent: provision if needed, connect, serve until a signal",
    load: async () => (await import("./run.ts")).run,
  },
  {
    name: "provision",
    summary: "register once, print the assignment, store it",
    load: async () => (await import("./provision.ts")).provision,
  },
  {
    name: "endpoint",
    summary: "explain which endpoint would be used, and why",
    load: async () => (await import("./endpoint.ts")).endpoint,
  },
  {
    name: "doctor",
    summary: "find out what keeps this device from its hub",
    load: async () => (await import("./doctor.ts")).doctor,
  },
  {
    name: "keys",
    summary: "derive a device key from a group key",
    load: async () => (await import("./keys.ts")).keys,
  },
  {
    name: "mcu",
    summary: "the microcontroller on the serial port: info, flash, monitor",
    load: async () => (await import("./mcu.ts")).mcu,
  },
  {
    name: "emulator",
    summary: "a local Device Provisioning Service and IoT Hub",
    load: async () => (await import("./emulator.ts")).emulator,
  },
  {
    name: "demo",
    summary: "the whole story in one terminal; exits by itself",
    load: async () => (await import("./demo.ts")).demo,
  },
];
