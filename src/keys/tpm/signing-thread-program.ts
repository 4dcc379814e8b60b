import { type ThreadProgram, threadBeside } from "../engine/signing-thread.ts";

/** The thread that signs with a key in a TPM. */
export const tpmSigningThread: ThreadProgram = threadBeside(import.meta.url, "signing-thread");
