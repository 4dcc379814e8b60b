import type { Clock } from "../clock.ts";
import type { EmulatorEvent, EventKind, EventKinds } from "./event-kinds.ts";
import { Recording, type WatchOptions } from "./recording.ts";

/** What DPS and the hubs saw, in order; for tests that count and for people that watch. */
export class EventLog {
  readonly #clock: Clock;
  readonly #recording: Recording<EmulatorEvent>;

  /** @param limit how many events are kept */
  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.#recording = new Recording(limit);
  }

  /** Everything that is kept, oldest first. */
  get all(): readonly EmulatorEvent[] {
    return this.#recording.all;
  }

  /** The events of one kind, oldest first. */
  of<K extends EventKind>(kind: K, where: (event: EmulatorEvent<K>) => boolean = () => true): EmulatorEvent<K>[] {
    return this.all.filter((event): event is EmulatorEvent<K> => isOf(event, kind) && where(event));
  }

  /**
   * The first event of a kind that fits, past ones included unless `from` is `now`.
   * Rejects with `emulator.closed` when the emulator is closed first, or with `signal.reason`.
   */
  next<K extends EventKind>(kind: K, options: WatchOptions<EmulatorEvent<K>> = {}): Promise<EmulatorEvent<K>> {
    const { where = () => true, ...rest } = options;
    return this.#recording.next({ ...rest, where: (event) => isOf(event, kind) && where(event) }) as Promise<
      EmulatorEvent<K>
    >;
  }

  /** Yields events as they come, past ones first unless `from` is `now`. */
  watch(options: WatchOptions<EmulatorEvent> = {}): AsyncIterableIterator<EmulatorEvent> {
    return this.#recording.watch(options);
  }

  /** Records one event; for the emulated services. */
  add<K extends EventKind>(kind: K, fields: EventKinds[K]): void {
    const event = { kind, atMs: this.#clock.now(), elapsedMs: this.#clock.elapsed(), ...fields };
    this.#recording.add(event as unknown as EmulatorEvent);
  }

  /** Ends everybody who waits or watches. */
  close(): void {
    this.#recording.close();
  }
}

function isOf<K extends EventKind>(event: EmulatorEvent, kind: K): event is EmulatorEvent<K> {
  return event.kind === kind;
}
