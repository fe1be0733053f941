/* list.h - an array in an arena that grows by doubling; what it outgrew stays behind until the
 * reset. */
#ifndef CATALOG_LIST_H
#define CATALOG_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"

/* Zero-initialise. */
struct catalog_list {
    void **items;
    size_t count, cap;
};

bool catalog_list_add(struct catalog_list *list, struct cu_arena *arena,
                      void *item); /* false: the arena is full */

#endif
