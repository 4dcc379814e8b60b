/* What the codes of refusals mean, in words; the index is the code. */

/** Codes of SMP itself, and of the groups 70 to 72. */
export const smpReasons: readonly string[] = [
  "no error",
  "unknown error",
  "out of memory",
  "invalid value",
  "timed out within the MCU",
  "no such entry",
  "not possible in this state",
  "message too large",
  "not supported",
  "corrupt data",
  "busy",
  "access denied",
  "protocol version too old",
  "protocol version too new",
];

/** Codes of the image group, from version 2 on. */
export const imageReasons: readonly string[] = [
  "no error",
  "unknown error",
  "the flash has no such area in its configuration",
  "there is no image in the slot",
  "the image has no trailer",
  "the image has an invalid trailer",
  "the image has several hashes",
  "a trailer of the image has the wrong size",
  "no image has that hash",
  "no slot is free",
  "the flash could not be opened",
  "the flash could not be read",
  "the flash could not be written",
  "the flash could not be erased",
  "there is no such slot",
  "out of memory",
  "the flash context is already set",
  "the flash context is not set",
  "the flash area has no device",
  "the flash device cannot tell its page size",
  "wrong offset",
  "the length of the image is missing",
  "the image has no valid header",
  "the image has the wrong magic number",
  "the hash has the wrong length",
  "the image is for another flash address",
  "the version could not be read",
  "the running image is newer",
  "an image is already pending",
  "the vector table of the image is invalid",
  "the image is too large for the slot",
  "more data than the image has",
  "confirming is not allowed",
  "the running image cannot be tested",
  "it is not known which slot is active",
];

/** Codes of the statistics group, from version 2 on. */
export const statisticsReasons: readonly string[] = [
  "no error",
  "unknown error",
  "no such group of statistics",
  "no statistics of that name",
  "the size of an entry is invalid",
  "the walk over the entries was aborted",
];

/** Codes of the settings group, from version 2 on: Zephyr's, where 3 is also what landfall's contract has for a value. */
export const settingsReasons: readonly string[] = [
  "no error",
  "unknown error",
  "the name of the setting is too long",
  "no such setting, or an invalid value",
  "the setting cannot be read",
  "no such setting",
  "the setting cannot be written",
  "the setting cannot be deleted",
  "settings cannot be saved",
];
