#ifndef FACTORY_IMAGE_H
#define FACTORY_IMAGE_H

#include <stdbool.h>

/** Writes an image of version 1.0.0 into slot 0 when that is empty. False when the flash refused. */
bool factory_image_ensure(void);

#endif
