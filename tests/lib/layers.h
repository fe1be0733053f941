/* layers.h - moves what lies in an overlay down, step by step, as the apply and the fold worker of
 * catalogd do: for tests that run on one thread. */
#ifndef TESTS_LIB_LAYERS_H
#define TESTS_LIB_LAYERS_H

#include "services/catalogd/core/overlay.h"

/* An empty memtable takes the place of the one written to, which must be the only one. Outside of
 * marks. On an overlay without one: its first. */
void layers_rotate(struct catalog_overlay *overlay);
/* Writes the one that was rotated into what lies below: both have it then. Nothing when there is
 * none. */
void layers_fold(struct catalog_overlay *overlay);
/* Lets go of the one that was rotated, and folded. Nothing when there is none. */
void layers_drop(struct catalog_overlay *overlay);

/* All of it lies below, and the overlay is empty. */
void layers_flatten(struct catalog_overlay *overlay);

#endif
