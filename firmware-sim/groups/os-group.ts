import type { Group, Handler } from "./group.ts";
import { Refusal, smpCode } from "./refusal.ts";
import { RequestFields } from "./request-fields.ts";

/** Codes of this group. */
const badFormat = 2;
const noAnswer = 3;

/** What the group tells of the firmware, and asks of it. */
export interface OsFacts {
  readonly bufferBytes: number;
  readonly board: string;
  readonly registrationId: string;
  readonly version: string;
  /** Resets the MCU once the answer is out. */
  readonly reset: () => void;
}

/** Group 0: echo, reset, sizes, and what runs here. */
export function osGroup(facts: OsFacts): Group {
  const invalid = () => Refusal.ofSmp(smpCode.invalid);
  const echo: Handler = (request) => ({ r: new RequestFields(request, invalid).text("d", 0, facts.bufferBytes) });
  const information: Handler = (request) => {
    const fields = new RequestFields(request, invalid);
    const format = fields.has("format") ? fields.text("format", 0, 64) : "s";
    return { output: describe(facts, format === "a" ? "snrvmpio" : format) };
  };
  return {
    id: 0,
    commands: {
      0: { read: echo, write: echo },
      5: {
        write: () => {
          facts.reset();
          return {};
        },
      },
      6: { read: () => ({ buf_size: facts.bufferBytes, buf_count: 1 }) },
      7: { read: information },
      8: {
        read: (request) => {
          const fields = new RequestFields(request, invalid);
          if (!fields.has("query")) return { bootloader: "MCUboot" };
          // 3: images change places, and there is no scratch sector.
          if (fields.text("query", 0, 64) === "mode") return { mode: 3 };
          throw Refusal.ofGroup(noAnswer);
        },
      },
    },
    translate: (code) => (code === badFormat ? smpCode.invalid : smpCode.noEntry),
  };
}

/** One word for each letter that SMP has for a fact, those of `uname` as far as it has them. */
function describe({ registrationId, version, board }: OsFacts, letters: string): string {
  const words: Readonly<Record<string, string>> = {
    s: "landfall-mcu",
    n: registrationId,
    r: version,
    v: version,
    m: "simulated",
    p: "simulated",
    i: board,
    o: "landfall-mcu-sim",
  };
  return [...letters]
    .map((letter) => {
      const word = words[letter];
      if (word === undefined) throw Refusal.ofGroup(badFormat);
      return word;
    })
    .join(" ");
}
