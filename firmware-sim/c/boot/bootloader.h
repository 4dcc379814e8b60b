/*
 * Stands in for MCUboot where none can run: swaps the slots as their trailers ask for it, checks hashes, and "boots"
 * what then lies in slot 0. This program cannot turn into the image it was given, so of that image it takes on the
 * version and the behaviour that its body asks for. A board with MCUboot leaves this folder out.
 */
#ifndef BOOTLOADER_H
#define BOOTLOADER_H

typedef enum {
  BOOT_RUNS,
  /** The body begins with "LANDFALL-MCU:hang": it never comes up, and the watchdog resets. */
  BOOT_HANGS,
  /** "LANDFALL-MCU:crash": it resets at once. */
  BOOT_CRASHES,
  /** Nothing in slot 0 can be run. */
  BOOT_NOTHING
} boot_outcome;

/** Brings the slots in order; an empty one gets the image of the factory. */
boot_outcome bootloader_run(void);

#endif
