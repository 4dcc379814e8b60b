import type { Settings } from "../settings.ts";
import { decodeCbor } from "../wire/cbor-reader.ts";
import { encodeCbor } from "../wire/cbor-writer.ts";
import type { Body } from "../wire/value.ts";
import type { Group } from "./group.ts";
import { Refusal, smpCode } from "./refusal.ts";
import { RequestFields } from "./request-fields.ts";

const longestValueBytes = 64;

/** Group 3: settings by name, whose values are one CBOR item each. */
export function settingsGroup(settings: Settings, onCommitted: () => void): Group {
  const invalid = () => Refusal.ofGroup(smpCode.invalid);
  const nameIn = (request: Body): string => {
    const name = new RequestFields(request, invalid).text("name", 1, 64);
    if (!settings.has(name)) throw Refusal.ofGroup(smpCode.noEntry);
    return name;
  };
  return {
    id: 3,
    commands: {
      0: {
        read: (request) => ({ val: encodeCbor(settings.effective[nameIn(request)] ?? null) }),
        write: (request) => {
          const name = nameIn(request);
          const value = decodeCbor(new RequestFields(request, invalid).bytes("val", 1, longestValueBytes));
          if (value === undefined || !settings.draft(name, value)) throw invalid();
          return {};
        },
      },
      1: {
        write: (request) => {
          settings.draftDefault(nameIn(request));
          return {};
        },
      },
      2: {
        write: () => {
          settings.commit();
          onCommitted();
          return {};
        },
      },
      3: {
        read: () => {
          settings.load();
          return {};
        },
        // What is in effect was saved by the commit that put it there.
        write: () => ({}),
      },
    },
  };
}
