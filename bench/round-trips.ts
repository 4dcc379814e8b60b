/**
 * Counts the round trips of one client over all its connections: how often it had to wait for an answer before it could go
 * on. What goes out together, or while an answer is under way, counts once; a TCP handshake counts as one.
 */
export class RoundTrips {
  /** Of all that has arrived at the client: the most round trips that anything took. */
  #atClient = 0;

  /** How many answers, each to a question that needed the one before, the client has got. */
  get count(): number {
    return this.#atClient;
  }

  /** The client dials. */
  connect(): TripsOfConnection {
    const handshake = this.#atClient + 1;
    let atService = 0;
    return {
      clientSends: () => {
        const trip = Math.max(this.#atClient, handshake) + 1;
        return () => {
          atService = Math.max(atService, trip);
        };
      },
      serviceSends: () => {
        const trip = atService;
        return () => {
          this.#atClient = Math.max(this.#atClient, trip);
        };
      },
    };
  }
}

/** What is said on one connection. */
export interface TripsOfConnection {
  /** The client sends something. Returns what to call when it has arrived. */
  clientSends(): () => void;
  /** The service sends something. Returns what to call when it has arrived. */
  serviceSends(): () => void;
}
