import { decodeMemory, emptyMemory, encodeMemory, type NetworkMemory } from "./network-memory.ts";

/** The file's name in the state directory. */
export const memoryFile = "network-memory.json";

/** Where one text is kept; a write replaces the whole text or changes nothing. A `StateFile` is one. */
export interface TextStore {
  /** The text, or undefined when there is none. Rejects when it is there but cannot be read. */
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
}

/** Keeps the {@link NetworkMemory} of a device between runs. */
export class NetworkMemoryStore {
  readonly #store: TextStore;

  constructor(store: TextStore) {
    this.#store = store;
  }

  /** What is remembered. Never rejects: a memory that cannot be read is a damaged one, and that is never taken for an empty one. */
  async load(): Promise<NetworkMemory> {
    try {
      return decodeMemory(await this.#store.read());
    } catch {
      return { sightings: [], damaged: true };
    }
  }

  /**
   * Replaces what is remembered; rejects as the store does. Call it only with a memory that differs from the loaded one: a
   * device that was never on a private path has no file, and that is how a damaged file is known to mean something.
   */
  async save(memory: NetworkMemory): Promise<void> {
    await this.#store.write(encodeMemory(memory));
  }

  /** Forgets everything, a damage included; rejects as the store does. The owner asks for it when a device has left its network. */
  async forget(): Promise<void> {
    await this.save(emptyMemory);
  }
}
