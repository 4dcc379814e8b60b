/** Codes of SMP itself; settings and the groups from 70 on use them for faults of their own as well. */
export const smpCode = {
  unknown: 1,
  invalid: 3,
  noEntry: 5,
  badState: 6,
  tooLarge: 7,
  notSupported: 8,
  busy: 10,
} as const;

/** Thrown by a command that answers with a fault; the firmware catches it, it never leaves. */
export class Refusal extends Error {
  /** Whether the code is one of the group, which version 2 answers as such; else one of SMP itself. */
  readonly ofGroup: boolean;
  readonly code: number;

  private constructor(ofGroup: boolean, code: number) {
    super(`code ${code}`);
    this.ofGroup = ofGroup;
    this.code = code;
  }

  static ofGroup(code: number): Refusal {
    return new Refusal(true, code);
  }

  static ofSmp(code: number): Refusal {
    return new Refusal(false, code);
  }
}
