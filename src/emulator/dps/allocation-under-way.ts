import { describeCause } from "../../errors.ts";
import type { CustomAllocation } from "./custom-allocation.ts";

/** How a custom allocation stands. */
export type AllocationState =
  | { readonly kind: "pending" }
  | { readonly kind: "decided"; readonly allocation: CustomAllocation }
  /** Why, in words. */
  | { readonly kind: "failed"; readonly why: string };

/** A custom allocation on its way: polls look at where it stands. */
export class AllocationUnderWay {
  #state: AllocationState = { kind: "pending" };

  /** Calls `decide` at once. */
  constructor(decide: () => CustomAllocation | Promise<CustomAllocation>) {
    try {
      const decided = decide();
      if (decided instanceof Promise) {
        decided.then(
          (allocation) => this.#decided(allocation),
          (error: unknown) => this.#failed(error),
        );
      } else this.#decided(decided);
    } catch (error) {
      this.#failed(error);
    }
  }

  get state(): AllocationState {
    return this.#state;
  }

  #decided(allocation: CustomAllocation): void {
    this.#state = { kind: "decided", allocation };
  }

  #failed(error: unknown): void {
    this.#state = { kind: "failed", why: describeCause(error) };
  }
}
