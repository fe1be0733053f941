/* fault.h - fails the Nth call of a fake, for loops over every error path:
 *
 *     for (unsigned n = 1; ; n++) {
 *         struct fault fault = {.at = n};
 *         enum cu_err err = save(&(struct fake){.fault = &fault});
 *         if (!fault_fired(&fault)) { ck_assert(err == CU_OK); break; }
 *         ck_assert(err != CU_OK);
 *     }
 */
#ifndef TESTS_LIB_FAULT_H
#define TESTS_LIB_FAULT_H

#include <stdbool.h>

struct fault {
    unsigned at;    /* the call that fails, counted from 1; 0: none */
    unsigned calls; /* so far */
};

/* To be asked by a fake at each call that can fail. NULL never fails. */
static inline bool fault_now(struct fault *fault)
{
    return fault && ++fault->calls == fault->at;
}

static inline bool fault_fired(const struct fault *fault)
{
    return fault->at && fault->calls >= fault->at;
}

#endif
