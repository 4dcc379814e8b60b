/** The version of an image: major, minor, revision, build. */
export type ImageVersion = readonly [number, number, number, number];

/** Reads `1.2.3` or `1.2.3.4`, as image lists have it; undefined for anything else. */
export function parseImageVersion(text: string): ImageVersion | undefined {
  const found = /^(\d{1,3})\.(\d{1,3})\.(\d{1,5})(?:[.+](\d{1,10}))?$/.exec(text);
  return found ? [Number(found[1]), Number(found[2]), Number(found[3]), Number(found[4] ?? 0)] : undefined;
}

/** As image lists have it: without the build where it is 0. */
export function formatImageVersion([major, minor, revision, build]: ImageVersion): string {
  return `${major}.${minor}.${revision}${build === 0 ? "" : `.${build}`}`;
}

/** Below 0 when `one` is older than `other`, above when it is newer. */
export function compareImageVersions(one: ImageVersion, other: ImageVersion): number {
  for (const [index, part] of one.entries()) {
    const difference = part - (other[index] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
