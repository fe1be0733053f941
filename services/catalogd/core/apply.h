/* apply.h - one committed entry applied to the state: deterministic and total (contracts 3.4). */
#ifndef CATALOG_APPLY_H
#define CATALOG_APPLY_H

#include <stdint.h>

#include "common/base/arena.h"
#include "proto/curia/internal/v1/log.pb-c.h"
#include "proto/curia/internal/v1/state.pb-c.h"
#include "services/catalogd/core/store.h"

/* What became of an entry, for its proposer (contracts 3.3). */
enum catalog_fate {
    CATALOG_NO_COMMAND, /* no-op, configuration, barrier: only the position moved */
    CATALOG_APPLIED,    /* took effect (or was refused by its own conditions): `result` says what */
    CATALOG_OPENED,     /* an Open: seq 1 may follow */
    CATALOG_OPEN_REFUSED, /* a proposer was dropped after its applied index: make a new one */
    CATALOG_SEEN,         /* this seq has been: no effect */
    CATALOG_TOO_OLD,      /* below the window: no effect */
    CATALOG_DROPPED,      /* its proposer is not, or no longer, known: no effect */
    CATALOG_RETRY,        /* something `checked` has changed: no effect, the seq is marked */
    CATALOG_FATE_COUNT
};

enum {
    CATALOG_WINDOW_SEQS = 4096,   /* bitmap kept for each proposer */
    CATALOG_PROPOSERS_MAX = 64,   /* most recent by log position */
    CATALOG_OPEN_SEQS_MAX = 2048, /* between the oldest unresolved and the newest */
    CATALOG_LEVEL = 1,            /* highest level this build applies */
};

struct catalog_outcome {
    enum catalog_fate fate;
    uint64_t shown_index;
    struct catalog_id proposer; /* of the entry */
    uint64_t seq;
    /* With APPLIED: in the arena. Never NULL then. */
    const Curia__Internal__V1__CommandResult *result;
};

/* Applies `entry` at the state's next index (asserted: entry->index == position + 1).
 * Errors: INTERNAL-free by contract: only what the backend returned (IO, CORRUPT), or NOT_READY
 * when the entry is of a level above CATALOG_LEVEL or has unknown fields: nothing was changed, the
 * state is stopped there (contracts 6.6). */
CU_MUST_USE enum cu_err catalog_apply(struct catalog_store *store,
                                      const Curia__Internal__V1__Entry *entry,
                                      struct cu_arena *arena, struct catalog_outcome *ret_outcome,
                                      struct cu_diag *diag);

#endif
