/* proposer.h - which proposals have been: a window of seqs for each proposer (contracts 3.3).
 *
 * A proposer is one life of a catalogd. Pure data, part of the state: every replica holds the same
 * windows in the same slots. */
#ifndef CATALOG_PROPOSER_H
#define CATALOG_PROPOSER_H

#include "services/catalogd/core/apply.h"

struct catalog_window {
    struct catalog_id proposer;
    uint64_t last_index;                   /* raw, of its latest entry; 0: the slot is free */
    uint64_t highest;                      /* seq */
    uint8_t seen[CATALOG_WINDOW_SEQS / 8]; /* bit seq % CATALOG_WINDOW_SEQS */
    bool is_dirty;                         /* changed since it was written */
};

struct catalog_proposers {
    uint64_t dropped_index; /* raw: at which one was dropped last; 0: never */
    struct catalog_window windows[CATALOG_PROPOSERS_MAX];
};

/* The entry at `index` opens `proposer`, made when `applied_index` was applied. OPENED (again, when
 * it is open already) or OPEN_REFUSED. The one longest silent makes room. */
enum catalog_fate catalog_proposers_open(struct catalog_proposers *proposers,
                                         const struct catalog_id *proposer, uint64_t applied_index,
                                         uint64_t index);

/* The entry at `index` is (proposer, seq). APPLIED: it is the first, and marked from here on; else
 * SEEN, TOO_OLD, DROPPED. Seq 0 is no seq: DROPPED. */
enum catalog_fate catalog_proposers_mark(struct catalog_proposers *proposers,
                                         const struct catalog_id *proposer, uint64_t seq,
                                         uint64_t index);

/* A slot as bytes. Decode leaves *ret_window alone on CORRUPT; no bytes are a free slot. */
void catalog_window_encode(const struct catalog_window *window, struct cu_buf *ret_bytes);
CU_MUST_USE enum cu_err catalog_window_decode(struct cu_bytes bytes,
                                              struct catalog_window *ret_window);

#endif
