/*
 * Takes an image into slot 1, piece by piece. The offset in each answer is the truth: a piece that does not begin there
 * is passed over, so a lost answer costs one piece, and an upload with the same SHA-256 goes on where it was.
 */
#ifndef IMAGE_UPLOAD_H
#define IMAGE_UPLOAD_H

#include "bytes.h"
#include "image-fault.h"

typedef struct {
  uint32_t offset;
  bytes_view data;
  /* Of the first piece only. */
  bool has_length;
  uint32_t length;
  /** SHA-256 of the file, or its beginning; empty where the gateway gave none. */
  bytes_view sha;
  /** Refuse an image that is not newer than the running one. */
  bool upgrade_only;
} image_piece;

typedef struct {
  uint32_t offset;
  bool complete;
  /** Of a complete upload whose SHA-256 was given: whether it is that of the bytes in flash. */
  bool compared;
  bool matches;
} image_progress;

/** Takes a piece. */
image_fault image_upload_take(const image_piece *piece, image_progress *progress);

/** Forgets the upload, since slot 1 is not what it was. */
void image_upload_forget(void);

/** Erases slot 1 up to its trailer, and that first. IMAGE_NO_FREE_SLOT while a swap may need it. */
image_fault image_slot_erase(void);

#endif
