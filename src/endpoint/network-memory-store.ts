import { decodeMemory, emptyMemory, encodeMemory, type NetworkMemory } from "./network-memory.ts";

/** Where small texts are kept; a write replaces the whole text or changes nothing. */
export interface TextStore {
  /** The text, or undefined when there is none. Rejects when it is there but cannot be read. */
  read(name: string): Promise<string | undefined>;
  write(name: string, text: string): Promise<void>;
}

/** The name of the memory in its {@link TextStore}. */
export const memoryName = "network-memory.json";

/** Keeps the {@link NetworkMemory} of a device between runs. */
export class NetworkMemoryStore {
  readonly #store: TextStore;

  constructor(store: TextStore) {
    this.#store = store;
  }

  /** What is remembered. Never rejects: a memory that cannot be read is a damaged one, and that is never taken for an empty one. */
  async load(): Promise<NetworkMemory> {
    try {
      return decodeMemory(await this.#store.read(memoryName));
    } catch {
      return { sightings: [], damaged: true };
    }
  }

  /** Replaces what is remembered; rejects as the store does. */
  async save(memory: NetworkMemory): Promise<void> {
    await this.#store.write(memoryName, encodeMemory(memory));
  }

  /** Forgets everything, a damage included; rejects as the store does. The owner asks for it when a device has left its network. */
  async forget(): Promise<void> {
    await this.save(emptyMemory);
  }
}
