import { LandfallError } from "../../errors.ts";
import type { ImageSlot } from "../groups/image-group.ts";
import type { FirmwareImage } from "./image-file.ts";
import { activeSlot, isImage, planUpdate } from "./update-plan.ts";

/*
 *   inspecting ─ upload ─ verifying ─ marking ─ restarting ─ checking ─ confirming ─ updated
 *                                                   │            │           │
 *                                              went back by  not healthy  refused
 *                                                 itself         └─ reverting ┘
 *                                                   └────────────────┴─ reverted
 */

/** Where an update is. */
export type UpdatePhase =
  | "inspecting"
  | "uploading"
  | "verifying"
  | "marking"
  | "restarting"
  | "checking"
  | "confirming"
  | "reverting";

/** State of an update. */
export interface UpdateState {
  readonly phase: UpdatePhase;
  readonly image: FirmwareImage;
  readonly allowDowngrade: boolean;
  /** Answers since the last reset that show an MCU which has not restarted. */
  readonly unchanged: number;
  /** How often the reset of this phase was said again. */
  readonly repeatedResets: number;
  /** Why it is being reverted. */
  readonly why: string | undefined;
}

/** What happened. */
export type UpdateInput =
  /** The MCU told its slots, and its board at the first time. */
  | { readonly kind: "slots"; readonly slots: readonly ImageSlot[]; readonly board?: string | undefined }
  /** What was asked for has been done. */
  | { readonly kind: "done" }
  /** The new image is not healthy, or cannot be confirmed. */
  | { readonly kind: "failed"; readonly why: string }
  /** The MCU has not come back in the time allowed. */
  | { readonly kind: "out-of-time" };

/** What is to be done next; the input that answers it stands beside. */
export type UpdateEffect =
  /** Answer: slots. */
  | { readonly kind: "read-slots" }
  /** Answer: done. */
  | { readonly kind: "upload" }
  /** Has the bootloader try the image at the next start. Answer: done. */
  | { readonly kind: "mark" }
  /** Answer: done, also when no answer came: it may have restarted before. */
  | { readonly kind: "reset" }
  /** Wait a little and read the slots. Answer: slots, or out-of-time. */
  | { readonly kind: "await-start" }
  /** Answer: done or failed. */
  | { readonly kind: "check" }
  /** Answer: slots or failed. */
  | { readonly kind: "confirm" }
  | { readonly kind: "finish"; readonly outcome: UpdateOutcome };

/** How an update ended. */
export type UpdateOutcome =
  | { readonly kind: "updated" }
  | { readonly kind: "already-running" }
  | { readonly kind: "failed"; readonly error: LandfallError };

/** A step: the state behind it and what is to be done. */
export interface UpdateStep {
  readonly state: UpdateState;
  readonly effect: UpdateEffect;
}

/** So many answers from an MCU that should have restarted, and the reset is said again: it may have been lost. */
const unchangedBeforeReset = 10;

/** An MCU that answers after so many repeated resets does not restart at all. */
const mostRepeatedResets = 3;

/** The first step of an update. */
export function beginUpdate(image: FirmwareImage, allowDowngrade: boolean): UpdateStep {
  const state: UpdateState = {
    phase: "inspecting",
    image,
    allowDowngrade,
    unchanged: 0,
    repeatedResets: 0,
    why: undefined,
  };
  return { state, effect: { kind: "read-slots" } };
}

/** The step behind an input. Throws the `firmware.*` error when the image is not for this MCU. */
export function nextUpdateStep(state: UpdateState, input: UpdateInput): UpdateStep {
  switch (input.kind) {
    case "slots":
      return afterSlots(state, input.slots, input.board);
    case "done":
      return afterDone(state);
    case "failed":
      return revert(state, input.why);
    case "out-of-time":
      return finish(state, failure("firmware.lost", `the MCU did not come back${becauseOf(state)}`));
  }
}

function afterSlots(state: UpdateState, slots: readonly ImageSlot[], board: string | undefined): UpdateStep {
  switch (state.phase) {
    case "inspecting":
      return begin(state, planUpdate(state.image, { slots, board }, state));
    case "verifying":
      if (slots.some((slot) => isImage(slot, state.image))) return enter(state, "marking", "mark");
      return finish(state, failure("firmware.no-room", "the MCU took the image and does not have it"));
    case "restarting":
      return afterRestart(state, slots);
    case "reverting":
      // The confirmation had arrived after all; only its answer had not.
      if (isConfirmed(state, slots)) return finish(state, { kind: "updated" });
      if (runs(state, slots)) return stillThere(state);
      return finish(state, failure("firmware.reverted", `the MCU went back to its former firmware${becauseOf(state)}`));
    case "confirming":
      if (isConfirmed(state, slots)) return finish(state, { kind: "updated" });
      return revert(state, "it could not be confirmed");
    default:
      return { state, effect: { kind: "read-slots" } };
  }
}

function begin(state: UpdateState, start: ReturnType<typeof planUpdate>): UpdateStep {
  switch (start) {
    case "nothing-to-do":
      return finish(state, { kind: "already-running" });
    case "check":
      return enter(state, "checking", "check");
    case "reset":
      return enter(state, "restarting", "reset");
    case "mark":
      return enter(state, "marking", "mark");
    case "upload":
      return enter(state, "uploading", "upload");
  }
}

function afterRestart(state: UpdateState, slots: readonly ImageSlot[]): UpdateStep {
  if (runs(state, slots)) return enter(state, "checking", "check");
  // Still marked: it has not been tried yet.
  if (slots.some((slot) => isImage(slot, state.image) && slot.pending)) return stillThere(state);
  const why = "the bootloader refused the new one, or it did not come up";
  return finish(state, failure("firmware.reverted", `the MCU runs its former firmware: ${why}`));
}

function stillThere(state: UpdateState): UpdateStep {
  if (state.unchanged < unchangedBeforeReset) {
    return { state: { ...state, unchanged: state.unchanged + 1 }, effect: { kind: "await-start" } };
  }
  if (state.repeatedResets === mostRepeatedResets) {
    return finish(state, failure("firmware.lost", `the MCU answers and does not restart${becauseOf(state)}`));
  }
  const again = { ...state, unchanged: 0, repeatedResets: state.repeatedResets + 1 };
  return { state: again, effect: { kind: "reset" } };
}

function afterDone(state: UpdateState): UpdateStep {
  switch (state.phase) {
    case "uploading":
      return enter(state, "verifying", "read-slots");
    case "marking":
      return enter(state, "restarting", "reset");
    case "checking":
      return enter(state, "confirming", "confirm");
    default:
      return { state, effect: { kind: "await-start" } };
  }
}

function revert(state: UpdateState, why: string): UpdateStep {
  return enter({ ...state, why }, "reverting", "reset");
}

function enter(state: UpdateState, phase: UpdatePhase, kind: Exclude<UpdateEffect["kind"], "finish">): UpdateStep {
  return { state: { ...state, phase, unchanged: 0, repeatedResets: 0 }, effect: { kind } };
}

function finish(state: UpdateState, outcome: UpdateOutcome): UpdateStep {
  return { state, effect: { kind: "finish", outcome } };
}

function failure(code: "firmware.reverted" | "firmware.lost" | "firmware.no-room", message: string): UpdateOutcome {
  return { kind: "failed", error: new LandfallError(code, message) };
}

function runs({ image }: UpdateState, slots: readonly ImageSlot[]): boolean {
  const running = activeSlot(slots);
  return running !== undefined && isImage(running, image);
}

function isConfirmed(state: UpdateState, slots: readonly ImageSlot[]): boolean {
  return runs(state, slots) && activeSlot(slots)?.confirmed === true;
}

function becauseOf({ why }: UpdateState): string {
  return why === undefined ? "" : `: ${why}`;
}
