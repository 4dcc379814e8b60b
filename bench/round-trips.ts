/**
 * Counts the round trips of one connection: how often the client has sent what it could only send after an answer. What
 * goes out together, or without waiting for an answer that is under way, counts once.
 */
export class RoundTrips {
  /** Of the bytes that have arrived on either side: how many round trips led to the one that took the most. */
  #atService = 0;
  #atClient = 0;

  /** How many answers, each to a question that needed the one before, the client has got. */
  get count(): number {
    return this.#atClient;
  }

  /** The client sends something. Returns what to call when it has arrived. */
  clientSends(): () => void {
    const trip = this.#atClient + 1;
    return () => {
      this.#atService = Math.max(this.#atService, trip);
    };
  }

  /** The service sends something. Returns what to call when it has arrived. */
  serviceSends(): () => void {
    const trip = this.#atService;
    return () => {
      this.#atClient = Math.max(this.#atClient, trip);
    };
  }
}
