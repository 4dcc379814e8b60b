import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Worker } from "node:worker_threads";

/** The threads that this process starts, oldest first, so that a test can end one as a crash would. */
export class StartedThreads implements Disposable {
  readonly all: Worker[] = [];
  readonly #onStart = (message: unknown): void => {
    this.all.push((message as { readonly worker: Worker }).worker);
  };

  constructor() {
    subscribe("worker_threads", this.#onStart);
  }

  /** Ends the latest one at once; resolves when nothing of it is left. */
  async endLatest(): Promise<void> {
    await this.all.at(-1)?.terminate();
  }

  [Symbol.dispose](): void {
    unsubscribe("worker_threads", this.#onStart);
  }
}
