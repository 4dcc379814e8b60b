#ifndef FIRMWARE_H
#define FIRMWARE_H

/** Starts the firmware and serves the line; ends in port_reset() when the gateway asks for it. */
void firmware_run(void);

#endif
