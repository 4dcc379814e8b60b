/** Codes of the image group, as SMP numbers them from version 2 on. */
export const imageFault = {
  noImage: 3,
  noTrailers: 4,
  badTrailer: 5,
  hashNotFound: 8,
  noFreeSlot: 9,
  badSlot: 14,
  badLength: 21,
  badHeader: 22,
  badMagic: 23,
  badHash: 24,
  runningIsNewer: 27,
  alreadyPending: 28,
  tooLarge: 30,
  overrun: 31,
  testOfActiveDenied: 33,
} as const;

/** One of {@link imageFault}. */
export type ImageFault = (typeof imageFault)[keyof typeof imageFault];
