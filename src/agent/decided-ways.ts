import type { DpsTransportName, TransportName } from "../config/settings.ts";
import type { EndpointFinder } from "../endpoint/endpoint-finder.ts";
import type { ExplainedDecision } from "../endpoint/explain.ts";
import { routeOf } from "../endpoint/route-of.ts";
import { describeCause } from "../errors.ts";
import type { Logger } from "../log.ts";
import { manners } from "../transport/manners.ts";
import type { CallOptions } from "../transport/transport.ts";
import type { FoundWay, RouteFinder } from "./route-finder.ts";

/** Parts of {@link DecidedWays}. */
export interface DecidedWaysParts {
  readonly finder: EndpointFinder;
  /** The transports that will be dialled by. */
  readonly transports: { readonly dps: DpsTransportName; readonly hub: TransportName };
  readonly log: Logger;
}

/** Ways by the endpoint decision: evidence is gathered and judged for every attempt. */
export class DecidedWays implements RouteFinder {
  readonly #parts: DecidedWaysParts;

  constructor(parts: DecidedWaysParts) {
    this.#parts = parts;
  }

  async toDps(options: CallOptions = {}): Promise<FoundWay> {
    const { finder, transports } = this.#parts;
    return wayOf(await finder.dps(manners[transports.dps], options));
  }

  async toHub(host: string, options: CallOptions = {}): Promise<FoundWay> {
    const { finder, transports } = this.#parts;
    return wayOf(await finder.hub(host, manners[transports.hub], options));
  }

  async verified(host: string, address: string): Promise<void> {
    try {
      await this.#parts.finder.verified(host, address);
    } catch (error) {
      this.#parts.log.warn(`the network memory could not be written: ${describeCause(error)}`, { error });
    }
  }
}

function wayOf({ decision }: ExplainedDecision): FoundWay {
  const { path, reason, text, warnings } = decision;
  return { route: routeOf(decision), path, reason, text, warnings };
}
