import type { EventEmitter } from "node:events";
import type { Agent } from "../../src/agent/agent.ts";
import { type AgentEvents, agentEvents } from "../../src/agent/events.ts";
import { Sightings } from "../../src/testing/sightings.ts";

/** One event of an agent: its name, and what it told. */
export type Happening = {
  [Name in keyof AgentEvents]: readonly [Name, AgentEvents[Name][0]];
}[keyof AgentEvents];

/** Everything that agents tell, in order. */
export class AgentRecord {
  readonly #events = new Sightings<Happening>();

  follow(agent: Agent): void {
    for (const name of agentEvents) {
      (agent as EventEmitter).on(name, (about: unknown) => this.#events.add([name, about] as unknown as Happening));
    }
  }

  get happened(): readonly Happening[] {
    return this.#events.all;
  }

  get eventNames(): string[] {
    return this.happened.map(([name]) => name);
  }

  /** What the events of one name told, oldest first. */
  told<Name extends keyof AgentEvents>(name: Name): AgentEvents[Name][0][] {
    return this.happened.filter((each) => each[0] === name).map((each) => each[1] as AgentEvents[Name][0]);
  }

  /** Resolves with what the `count`-th event of a name told (1 is the first), once it has happened. */
  async event<Name extends keyof AgentEvents>(name: Name, count = 1): Promise<AgentEvents[Name][0]> {
    for (let seen = this.happened.length; ; seen++) {
      const found = this.told(name)[count - 1];
      if (found !== undefined) return found;
      await this.#events.nth(seen + 1);
    }
  }
}

/** How a promise went, readable at any time. */
export function watch(promise: Promise<unknown>): { outcome: unknown } {
  const watched: { outcome: unknown } = { outcome: "pending" };
  promise.then(
    (value) => {
      watched.outcome = value ?? "done";
    },
    (error) => {
      watched.outcome = error;
    },
  );
  return watched;
}
