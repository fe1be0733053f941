/* history.h - what clients saw, and whether one register a key explains it (invariant I14).
 *
 * A register holds a value or nothing. Operations of unknown outcome may have taken effect at any
 * time after their start, or never. Source: Wing and Gong, "Testing and verifying concurrent
 * objects" (1993), with Lowe's memo of (operations done, state). */
#ifndef SIM_HISTORY_H
#define SIM_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum history_kind {
    HISTORY_WRITE, /* sets `value` */
    HISTORY_CAS,   /* sets `value` if the register holds `expected` (0: nothing); `applied` says
                      whether */
    HISTORY_READ,  /* saw `value` (0: nothing) */
};

struct history_operation {
    enum history_kind kind;
    unsigned key;
    uint64_t value, expected; /* numbers of values; 0: nothing */
    bool applied;
    bool is_known;       /* the outcome; an unknown read is left out */
    uint64_t start, end; /* end UINT64_MAX while unknown */
};

struct history {
    struct history_operation *items;
    size_t count, cap;
};

size_t history_begin(struct history *history,
                     const struct history_operation *operation); /* returns its number */
void history_deinit(struct history *history);

/* Returns whether the operations on `key` are linearizable from `initial` on. *ret_gave_up: more
 * than the memo's bound of states was looked at (then true is returned, and the run says so). */
bool history_is_linearizable(const struct history *history, unsigned key, uint64_t initial,
                             bool *ret_gave_up);

#endif
