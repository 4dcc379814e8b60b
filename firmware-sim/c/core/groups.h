/* The groups that the firmware answers; each is defined in the file of its name. */
#ifndef GROUPS_H
#define GROUPS_H

#include "smp.h"

extern const smp_group os_group;
extern const smp_group image_group;
extern const smp_group statistics_group;
extern const smp_group settings_group;
extern const smp_group identity_group;
extern const smp_group telemetry_group;
extern const smp_group commands_group;

#define TELEMETRY_GROUP_ID 71u
#define TELEMETRY_MESSAGE_ID 1u

#endif
