import { inMcu } from "./mcu-place.ts";
import type { Place } from "./place.ts";
import type { Draft } from "./settings-schema.ts";

/** Rules for what is kept in the MCU: there has to be one, and nobody else can compute with what it keeps. */
export function checkMcu({ provisioning, mcu }: Partial<Pick<Draft, "provisioning" | "mcu">>, top: Place): void {
  if (provisioning === undefined) return;
  const isDps = provisioning.source === "dps";
  const table = top.at("provisioning").at(isDps ? "attestation" : "authentication");
  const identity: object = (isDps ? provisioning.attestation : provisioning.authentication) ?? {};
  const kept = Object.entries(identity).flatMap(([name, value]) => (value === inMcu ? [name] : []));
  if (mcu?.port === undefined) {
    for (const name of kept) {
      table.at(name).fault({ expected: "a place that there is", found: `"${inMcu}", and no port in [mcu]` });
    }
  }
  if (kept.includes("symmetric_key") && "derive" in identity && identity.derive === true) {
    const hint = "have the device's own key derived where the MCU is made";
    table.at("derive").fault({ expected: `false beside symmetric_key = "${inMcu}"`, found: "true", hint });
  }
}
