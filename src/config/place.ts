import type { Fault } from "./fault.ts";
import type { FileReference, Sourced } from "./file-reference.ts";
import { tomlPath } from "./toml-text.ts";

/** What validation may look at beside the configuration itself. */
export interface Surroundings {
  /** Environment variables: secrets given by name, proxies, `XDG_STATE_HOME`, `HOME`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths start from here: the folder of the configuration file. */
  readonly baseDirectory: string;
  /** Whether the agent runs as root; decides the default state directory. */
  readonly isRoot: boolean;
}

/** All that validation finds out on its way, apart from the values. */
export class Findings {
  readonly faults: Fault[] = [];
  readonly warnings: string[] = [];
  readonly files: FileReference[] = [];
  /** A secret stands in the configuration itself. */
  holdsSecret = false;
}

/** One place in the configuration: where a value stands, and where its reader reports. */
export class Place {
  readonly surroundings: Surroundings;
  readonly findings: Findings;
  readonly #steps: readonly (string | number)[];

  constructor(surroundings: Surroundings, findings: Findings, steps: readonly (string | number)[] = []) {
    this.surroundings = surroundings;
    this.findings = findings;
    this.#steps = steps;
  }

  /** As TOML writes it; empty for the whole configuration. */
  get path(): string {
    return tomlPath(this.#steps);
  }

  /** The place of a member. */
  at(step: string | number): Place {
    return new Place(this.surroundings, this.findings, [...this.#steps, step]);
  }

  /** Reports a fault. Returns `undefined`, which stands for "no value" in every reader. */
  fault(fault: Omit<Fault, "path">): undefined {
    this.findings.faults.push({ path: this.path, ...fault });
  }

  /** Notes a file to be looked at after validation. */
  refer<T>(reference: Omit<FileReference<T>, "path">): Sourced<T> {
    const complete = { path: this.path, ...reference };
    this.findings.files.push(complete);
    return { kind: "file", reference: complete };
  }
}
