import { type ThreadProgram, threadBeside } from "../engine/signing-thread.ts";

/** The thread that has the serial port, and signs with the key in the MCU. */
export const mcuSigningThread: ThreadProgram = threadBeside(import.meta.url, "signing-thread");
