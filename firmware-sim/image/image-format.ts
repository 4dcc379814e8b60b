/*
 * An image as MCUboot has it, little endian:
 *
 *   header   magic (4) | … | header bytes (2) at 8 | bytes of protected TLVs (2) | bytes of body (4) | flags (4)
 *            | version at 20: major (1) minor (1) revision (2) build (4)
 *   body
 *   TLVs     0x6908 | bytes in all (2) | entries: type (2), length (2), value     protected, where there are any
 *   TLVs     0x6907 | …                                                           with the SHA-256 over all before them
 */

/** Begins every image. */
export const headerMagic = 0x96f3b83d;

/** A header is at least so long. */
export const headerBytes = 32;

/** Begins a list of TLVs. */
export const tlvMagic = { protected: 0x6908, plain: 0x6907 } as const;

/** What a TLV holds; the board is one of those that MCUboot leaves to vendors. */
export const tlvType = { sha256: 0x10, board: 0xa1 } as const;

/** How an image misbehaves, by what its body begins with. */
export const imageMarker = {
  /** Never comes up: the watchdog resets the MCU after its time. */
  hangs: "LANDFALL-MCU:hang",
  /** Ends soon after it started. */
  crashes: "LANDFALL-MCU:crash",
} as const;

/** Major, minor, revision, build. */
export type Version = readonly [number, number, number, number];

/** `1.2.3`, or `1.2.3.4` where there is a build number. */
export function versionText([major, minor, revision, build]: Version): string {
  return `${major}.${minor}.${revision}${build === 0 ? "" : `.${build}`}`;
}

/** Positive when `one` is newer than `other`; the build number does not count. */
export function compareVersions(one: Version, other: Version): number {
  const index = [0, 1, 2].find((part) => one[part] !== other[part]);
  return index === undefined ? 0 : (one[index] ?? 0) - (other[index] ?? 0);
}
