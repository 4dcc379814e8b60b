import { untilAborted } from "../../abort.ts";
import { describeCause, LandfallError } from "../../errors.ts";

/** Loads a class of the library. Rejects with `transport.unsupported` when the package is not there, or gives no class. */
export async function loadClass<Class>(
  transport: string,
  load: () => Class | Promise<Class>,
  signal: AbortSignal | undefined,
): Promise<Class> {
  let loaded: Class;
  try {
    loaded = await untilAborted(Promise.resolve().then(load), signal);
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    const message = `the package that ${transport} is made of cannot be loaded: ${describeCause(cause)}`;
    throw new LandfallError("transport.unsupported", message, { cause });
  }
  if (typeof loaded === "function") return loaded;
  throw new LandfallError(
    "transport.unsupported",
    `expected the class of a transport for ${transport}, got ${typeof loaded}`,
  );
}
