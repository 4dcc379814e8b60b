import { SmpRefusal } from "./smp-faults.ts";

/** What the MCU answers, or undefined where its firmware refuses the question: it need not know all of them. */
export async function ifTold<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof SmpRefusal) return undefined;
    throw error;
  }
}
