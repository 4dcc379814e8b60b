import { join } from "node:path";
import { LandfallError } from "../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { type Logger, silentLogger } from "../log.ts";
import { StateFile, type StateFileOptions } from "../state-file.ts";
import type { Assignment } from "./assignment.ts";

/** What an assignment was made for. With another configuration it is worth nothing. */
export interface AssignmentBinding {
  readonly idScope: string;
  readonly registrationId: string;
  /** The endpoint setting: `auto`, a key word or a host. The id scope names the DPS instance; another host may be another world. */
  readonly endpoint: string;
}

/** Settings of an {@link AssignmentStore}. */
export interface AssignmentStoreOptions extends StateFileOptions {
  /** The state directory. */
  readonly directory: string;
  /** Default: silent. */
  readonly log?: Logger;
}

/** What is in the file of an assignment, whomever it was made for. */
export type StoredAssignment =
  | { readonly state: "none" }
  | { readonly state: "corrupt" }
  | { readonly state: "stored"; readonly binding: AssignmentBinding; readonly assignment: Assignment };

const schema = "landfall.stored-assignment/1";

/**
 * The assignment that a device boots from without asking DPS: `assignment.json` in the state directory.
 * What a TPM needs to know is in the TPM; no key is ever written.
 */
export class AssignmentStore {
  readonly #file: StateFile;
  readonly #log: Logger;

  constructor({ directory, log = silentLogger, ...options }: AssignmentStoreOptions) {
    this.#file = new StateFile(join(directory, "assignment.json"), options);
    this.#log = log;
  }

  /** Where the assignment is kept. */
  get path(): string {
    return this.#file.path;
  }

  /**
   * The stored assignment; `undefined` when there is none, when it was made for another binding, or when the file is
   * corrupt: that is logged as `state.corrupt` and the file is set aside.
   * Rejects with `state.unwritable` when the file can be neither read nor set aside.
   */
  async read(binding: AssignmentBinding): Promise<Assignment | undefined> {
    const text = await this.#file.read();
    if (text === undefined) return undefined;
    const stored = parse(text);
    if (stored === undefined) {
      await this.#setAside();
      return undefined;
    }
    const changed = bindingNames.filter((name) => stored.binding[name] !== binding[name]);
    if (changed.length === 0) return stored.assignment;
    this.#log.info("the stored assignment is for another configuration", { changed });
    return undefined;
  }

  /** Looks at the file and leaves it as it is, also when it is corrupt. Rejects with `state.unwritable` when it cannot be read. */
  async inspect(): Promise<StoredAssignment> {
    const text = await this.#file.read();
    if (text === undefined) return { state: "none" };
    const stored = parse(text);
    return stored === undefined ? { state: "corrupt" } : { state: "stored", ...stored };
  }

  /** Resolves when the assignment is on the disk. Rejects with `state.unwritable`. */
  async write(binding: AssignmentBinding, { assignedHub, deviceId, substatus, payload }: Assignment): Promise<void> {
    const { idScope, registrationId, endpoint } = binding;
    const document = {
      schema,
      binding: { idScope, registrationId, endpoint },
      assignment: { assignedHub, deviceId, substatus, payload },
    };
    await this.#file.write(`${JSON.stringify(document, undefined, 2)}\n`);
  }

  /** Forgets the assignment. Rejects with `state.unwritable`. */
  async clear(): Promise<void> {
    await this.#file.remove();
  }

  async #setAside(): Promise<void> {
    const aside = await this.#file.setAside();
    const error = new LandfallError("state.corrupt", `${this.path} does not hold an assignment; it is now ${aside}`);
    this.#log.warn("the stored assignment is corrupt", { error });
  }
}

const bindingNames = ["idScope", "registrationId", "endpoint"] as const satisfies (keyof AssignmentBinding)[];

function parse(text: string): { binding: AssignmentBinding; assignment: Assignment } | undefined {
  const document = parseJson(text);
  if (!isJsonObject(document) || document.schema !== schema) return undefined;
  const { binding, assignment } = document;
  if (!isJsonObject(binding) || !isJsonObject(assignment)) return undefined;
  const { idScope, registrationId, endpoint } = binding;
  if (!isText(idScope) || !isText(registrationId) || !isText(endpoint)) return undefined;
  const { assignedHub, deviceId } = assignment;
  if (!isText(assignedHub) || !isText(deviceId)) return undefined;
  return {
    binding: { idScope, registrationId, endpoint },
    assignment: { assignedHub, deviceId, ...optionalsOf(assignment) },
  };
}

function optionalsOf({ substatus, payload }: JsonObject): Pick<Assignment, "substatus" | "payload"> {
  return {
    ...(isText(substatus) ? { substatus } : {}),
    ...(payload === undefined ? {} : { payload }),
  };
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isText = (value: JsonValue | undefined): value is string => typeof value === "string" && value !== "";
