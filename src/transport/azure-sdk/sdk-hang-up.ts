import type { Clock } from "../../clock.ts";
import type { SdkCallback } from "./sdk-shapes.ts";

/** How long the library may take to disconnect; it waits for acknowledgements that may never come. */
const hangUpMs = 2_000;

/** Has the library disconnect. Resolves when it has, or when it has had time enough. */
export async function hangUp(disconnect: (done: SdkCallback) => void, clock: Clock): Promise<void> {
  const hungUp = new AbortController();
  const disconnected = new Promise<void>((resolve) => disconnect(() => resolve()));
  await Promise.race([disconnected, clock.sleep(hangUpMs, hungUp).catch(() => {})]);
  hungUp.abort();
}
