/* memtable.h - rows written since the store below was written to, in memory (O'Neil et al., "The
 * Log-Structured Merge-Tree", and LevelDB's table of that name): found by a hash, walked in order
 * by a skip list, each row in as many versions as somebody may still read.
 *
 * One thread writes. Any number read meanwhile without a lock, each up to a number of the writer's,
 * `seq`, which was handed to it after what it counts had been written. Nothing is freed before the
 * last of those who hold the memtable lets go. */
#ifndef CATALOG_MEMTABLE_H
#define CATALOG_MEMTABLE_H

#include "services/catalogd/core/backend.h"

/* What a key names: below CATALOG_TABLE_COUNT a row of that table. */
enum catalog_space {
    CATALOG_SPACE_META = CATALOG_TABLE_COUNT, /* by name, with its NUL */
    CATALOG_SPACE_CHANGES,                    /* catalog_space_change_key() */
    CATALOG_SPACE_VALUES, /* by hash; `modify_index` is the change that needs it */
    CATALOG_SPACE_AGES,   /* catalog_space_age_key(): of values, holding nothing */
    CATALOG_SPACE_COUNT
};

enum { CATALOG_CHANGE_KEY_BYTES = 8 + 4, CATALOG_AGE_KEY_BYTES = 8 + CATALOG_HASH_BYTES };
/* Keys that lie in the order of (index, number) and of (index, hash). */
struct cu_bytes catalog_space_change_key(uint64_t index, uint32_t number,
                                         uint8_t ret_bytes[CATALOG_CHANGE_KEY_BYTES]);
struct cu_bytes catalog_space_age_key(uint64_t index, struct cu_u128 hash,
                                      uint8_t ret_bytes[CATALOG_AGE_KEY_BYTES]);
/* Their parts. */
uint64_t catalog_space_index(struct cu_bytes key);
uint32_t catalog_space_number(struct cu_bytes change_key);
struct cu_u128 catalog_space_hash(struct cu_bytes age_key);

struct catalog_version {
    const struct catalog_version *older;
    uint64_t seq;
    bool is_there;                       /* else it was deleted */
    struct catalog_row row;              /* its bytes lie in the memtable */
    const struct catalog_change *change; /* of CATALOG_SPACE_CHANGES, with all it points to */
};

struct catalog_memtable;
struct catalog_entry; /* a key */

struct catalog_memtable *catalog_memtable_new(void);
/* From any thread. Unref takes NULL. */
struct catalog_memtable *catalog_memtable_ref(struct catalog_memtable *memtable);
void catalog_memtable_unref(struct catalog_memtable *memtable);

/* ---- the writer's ---- */

size_t
catalog_memtable_bytes(const struct catalog_memtable *memtable); /* in use for what it holds */

/* A version of the row, copied, newer than all before: `seq` never falls. `is_known` says that the
 * row was there before. */
void catalog_memtable_put(struct catalog_memtable *memtable, int space, uint64_t seq,
                          const struct catalog_row *row, bool is_known);
void catalog_memtable_del(struct catalog_memtable *memtable, int space, uint64_t seq,
                          struct cu_bytes key);
void catalog_memtable_put_change(struct catalog_memtable *memtable, uint64_t seq,
                                 const struct catalog_change *change);

/* Takes back what was written above `seq` since the last settle; no reader stands there. */
void catalog_memtable_undo(struct catalog_memtable *memtable, uint64_t seq);
/* What was written stays: readers may stand there now. */
void catalog_memtable_settle(struct catalog_memtable *memtable);

/* ---- readers' ---- */

/* NULL: none; an entry may have no version that counts. */
const struct catalog_entry *catalog_memtable_find(const struct catalog_memtable *memtable,
                                                  int space, struct cu_bytes key);
/* The first at or after `key`. */
const struct catalog_entry *catalog_memtable_seek(const struct catalog_memtable *memtable,
                                                  int space, struct cu_bytes key);
const struct catalog_entry *catalog_entry_next(const struct catalog_entry *entry);
struct cu_bytes catalog_entry_key(const struct catalog_entry *entry);
/* The newest at or below `seq`; NULL: there is none. */
const struct catalog_version *catalog_entry_at(const struct catalog_entry *entry, uint64_t seq);

/* Writes the newest of everything into `below`, in the order of keys, once nothing is written here
 * any more. Errors: what `below` returned; CORRUPT a row that was known to be there is not. */
CU_MUST_USE enum cu_err catalog_memtable_fold(const struct catalog_memtable *memtable,
                                              const struct catalog_backend *below);

#endif
