/* backend_twin.h - two backends that must do the same: random calls of both, and a listing of all
 * that can be read. */
#ifndef TESTS_LIB_BACKEND_TWIN_H
#define TESTS_LIB_BACKEND_TWIN_H

#include "common/base/random.h"
#include "services/catalogd/core/backend.h"

struct backend_twin {
    const struct catalog_backend *one, *other;
    struct cu_random random;
    bool is_as_the_store; /* updates only what is there; values are put at indexes from 1 on, which
                             never fall: what an overlay relies on */
    bool is_marked;
    uint64_t index; /* of the last value put so */
    char key[16], value[32];
};

/* A random write to both, and now and then a mark, an undo or a keep. They must return the same. */
void backend_twin_step(struct backend_twin *twin);
/* Reads of both must show the same. */
void backend_twin_compare(struct backend_twin *twin);

/* Text that tells what every function that reads shows, around `key`; visitors stop after `most`.
 */
void backend_list(const struct catalog_backend *backend, const char *key, size_t most,
                  struct cu_buf *ret_text);
void backend_same_text(const struct cu_buf *one, const struct cu_buf *other);

#endif
