/* vet.h - what a registration or deregistration asks of who sends it (http-api.md 4.8), and what
 * was read to know that (contracts 3.4). */
#ifndef CATALOG_VET_H
#define CATALOG_VET_H

#include "services/catalogd/core/registration.h"
#include "services/catalogd/core/view.h"

enum { CATALOG_VET_ROWS_MAX = 1024 }; /* of a command (apply.c) */

/* Rows that a decision rests on; filled in the arena, for Command.checked. */
struct catalog_vetted {
    struct cu_arena *arena;
    struct catalog_list rows; /* of Curia__Internal__V1__Checked */
};

/* Names a row, or that there is none (modify index 0). TOO_LARGE: over the limit, or the arena is
 * full. */
CU_MUST_USE enum cu_err catalog_vetted_add(struct catalog_vetted *vetted, enum catalog_table table,
                                           struct cu_bytes key, uint64_t modify_index);

/* `command` is prepared (registration.h); view->authorizer is who sends it. ret_refusal: the
 * sentence of a denial or of what is not there; text NULL: it may be proposed. Errors: what the
 * backend returned; TOO_LARGE. */
CU_MUST_USE enum cu_err catalog_vet_register(const struct catalog_view *view,
                                             const Curia__Internal__V1__RegisterCommand *command,
                                             struct catalog_vetted *vetted,
                                             struct catalog_refusal *ret_refusal);
CU_MUST_USE enum cu_err
catalog_vet_deregister(const struct catalog_view *view,
                       const Curia__Internal__V1__DeregisterCommand *command,
                       struct catalog_vetted *vetted, struct catalog_refusal *ret_refusal);

#endif
