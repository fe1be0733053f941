/* memory_backend.h - the state of a catalogd in memory: the twin of io/sqlite.h, for unit tests and
 * the simulator. What one does the other does: the same tests run over both. */
#ifndef TESTS_LIB_MEMORY_BACKEND_H
#define TESTS_LIB_MEMORY_BACKEND_H

#include "services/catalogd/core/backend.h"
#include "tests/lib/fault.h"

struct memory_backend;

/* An empty one. `fault` is asked at each call of a function of the backend, which then fails with
 * CU_E_IO and changes nothing; NULL: none fails. Borrowed. */
struct memory_backend *memory_backend_new(struct fault *fault);
void memory_backend_free(struct memory_backend *memory); /* takes NULL */

const struct catalog_backend *memory_backend_get(struct memory_backend *memory);

#endif
