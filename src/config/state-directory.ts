import { isAbsolute, join } from "node:path";
import type { Surroundings } from "./place.ts";

/** Where the system keeps what services must remember. */
export const systemStateDirectory = "/var/lib/landfall";

/**
 * The directory for state when the configuration names none: {@link systemStateDirectory} for root, else `landfall`
 * below `$XDG_STATE_HOME`, else below `~/.local/state`. `undefined` for a user without a home.
 */
export function defaultStateDirectory({ env, isRoot }: Surroundings): string | undefined {
  if (isRoot) return systemStateDirectory;
  const { XDG_STATE_HOME: stateHome = "", HOME: home = "" } = env;
  // The XDG base directory specification has relative paths ignored.
  if (isAbsolute(stateHome)) return join(stateHome, "landfall");
  return isAbsolute(home) ? join(home, ".local", "state", "landfall") : undefined;
}
