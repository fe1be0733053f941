/* backend.h - where the replicated state lies: a struct of functions, SQLite in io/, memtables
 * over it in core/overlay.h, in memory in tests/lib.
 *
 * Only core/store.c and core/index.c call the functions that write, and core/memtable.c those of
 * what lies below it. All of them run on one thread, inside a transaction that the edge opened; an
 * error means the transaction is lost and the edge ends the process or starts over from the disk.
 */
#ifndef CATALOG_BACKEND_H
#define CATALOG_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/hash.h"

/* The tables of the state, in canonical order (spools and hashes follow it). Append only. */
enum catalog_table {
    CATALOG_KV,
    CATALOG_TOMBSTONES,
    CATALOG_SETTINGS, /* retention and the like, by name */
    CATALOG_NODES,
    CATALOG_SERVICES,
    CATALOG_CHECKS,
    CATALOG_INDEXES, /* what follows from nodes, services and checks: when something of many rows
                        changed last (core/index.h), other ways to them (core/lookup.h) */
    CATALOG_CONFIG_ENTRIES,  /* by kind, then name */
    CATALOG_CONNECT_ROOTS,   /* by id */
    CATALOG_CONNECT_CONFIG,  /* one row */
    CATALOG_CONNECT_SECRETS, /* keys that sign, by the id of their root */
    CATALOG_ACL_POLICIES,    /* by id */
    CATALOG_ACL_ROLES,       /* by id */
    CATALOG_ACL_TOKENS,      /* by accessor id, without their secrets */
    CATALOG_ACL_SECRETS,     /* secrets of tokens, both ways (core/acl_token.h) */
    CATALOG_TABLE_COUNT
};
const char *catalog_table_name(enum catalog_table table); /* kv, tombstones, nodes, ... */
bool catalog_table_find(const char *name, enum catalog_table *ret_table);
/* Whether its rows follow from those of other tables: no topic of its own, nothing to be checked.
 */
bool catalog_table_is_derived(enum catalog_table table);
/* Whether its rows are for the suite's own eyes: in no feed, no list, no history. */
bool catalog_table_is_secret(enum catalog_table table);

/* A row; bytes are borrowed from whoever filled it in. Keys begin with (partition, namespace): see
 * core/key.h. */
struct catalog_row {
    struct cu_bytes key;
    struct cu_bytes value;               /* a packed message of the table */
    uint64_t create_index, modify_index; /* shown indexes */
    struct cu_u128 hash;                 /* of (table name, key, value) */
};

enum catalog_operation { CATALOG_CREATE, CATALOG_UPDATE, CATALOG_DELETE, CATALOG_OPERATION_COUNT };
const char *catalog_operation_name(enum catalog_operation operation); /* create, update, delete */

/* One row of the change log (contracts 6.2). */
struct catalog_change {
    uint64_t index;  /* shown */
    uint32_t number; /* within the index, from 0 */
    enum catalog_table table;
    struct cu_bytes key;
    enum catalog_operation operation;
    struct cu_bytes before;     /* the row's value before; empty for create */
    struct cu_u128 before_hash; /* set when `before` lies in the value table (over 4 KiB) */
    bool before_by_hash;
    const char *actor, *node, *daemon, *address, *cause, *reason;
    uint64_t wall_ms;
    uint64_t lease_ms;   /* its age is counted from here */
    uint32_t size_bytes; /* what it counts against the retention */
};

/* Values up to this size lie in the change row itself, larger ones once, by hash. */
enum { CATALOG_INLINE_VALUE_MAX = 4096 };

/* A hash as the 16 bytes of its digest: what stores keep, and the order in which values go. */
enum { CATALOG_HASH_BYTES = 16 };
void catalog_hash_to_bytes(struct cu_u128 hash, uint8_t ret_bytes[CATALOG_HASH_BYTES]);
struct cu_u128 catalog_hash_of_bytes(const uint8_t bytes[CATALOG_HASH_BYTES]);

/* How a backend hands bytes out: copied into the arena. TOO_LARGE: it is full; *ret_to is
 * untouched.
 */
CU_MUST_USE enum cu_err catalog_copy_out(struct cu_arena *arena, struct cu_bytes from,
                                         struct cu_bytes *ret_to);

/* Return false to stop the walk. The row is valid until it returns. */
typedef bool catalog_visit(void *arg, const struct catalog_row *row);
typedef bool catalog_visit_change(void *arg, const struct catalog_change *change);
typedef bool catalog_visit_value(void *arg, struct cu_u128 hash, uint64_t index,
                                 struct cu_bytes value);
typedef bool catalog_visit_meta(void *arg, const char *name, struct cu_bytes value);

struct catalog_backend {
    void *context;
    /* ---- reads ---- */
    /* CU_E_NOT_FOUND: no such row; the row's bytes are put into `arena`. */
    enum cu_err (*get)(void *context, enum catalog_table table, struct cu_bytes key,
                       struct cu_arena *arena, struct catalog_row *ret_row);
    /* Rows whose key begins with `prefix` and is greater than `after` (empty: from the start),
     * ascending. The visitor scans no table and writes nothing. */
    enum cu_err (*scan)(void *context, enum catalog_table table, struct cu_bytes prefix,
                        struct cu_bytes after, catalog_visit *visit, void *arg);
    /* Change rows with (index, number) above the given, ascending. */
    enum cu_err (*changes)(void *context, uint64_t after_index, uint32_t after_number,
                           catalog_visit_change *visit, void *arg);
    /* A value kept once by hash; NOT_FOUND when it was dropped. `arena` NULL: only whether it is
     * there. */
    enum cu_err (*value_get)(void *context, struct cu_u128 hash, struct cu_arena *arena,
                             struct cu_bytes *ret_value);
    /* The one put longest ago (lowest index, then lowest hash) of those after (index, hash); after
     * (0, 0): of all, for no change has index 0. NOT_FOUND: there is none. */
    enum cu_err (*value_oldest)(void *context, uint64_t after_index, struct cu_u128 after_hash,
                                struct cu_u128 *ret_hash, uint64_t *ret_index,
                                uint32_t *ret_size_bytes);
    /* All of them, the oldest first. */
    enum cu_err (*values)(void *context, catalog_visit_value *visit, void *arg);
    /* Bookkeeping by name (core/bookmark.h). NOT_FOUND: never written. */
    enum cu_err (*meta_get)(void *context, const char *name, struct cu_arena *arena,
                            struct cu_bytes *ret_value);
    /* All of it, by name ascending. */
    enum cu_err (*metas)(void *context, catalog_visit_meta *visit, void *arg);
    /* ---- writes: core/store.c, core/index.c and core/memtable.c only ---- */
    enum cu_err (*put)(void *context, enum catalog_table table, const struct catalog_row *row);
    /* As put, for a row that is there: cheaper. CORRUPT: it is not. */
    enum cu_err (*update)(void *context, enum catalog_table table, const struct catalog_row *row);
    enum cu_err (*del)(void *context, enum catalog_table table, struct cu_bytes key);
    enum cu_err (*change_add)(void *context, const struct catalog_change *change);
    enum cu_err (*change_drop)(void *context, uint64_t index, uint32_t number);
    /* `index` is the change that needs it: an equal value is kept once and counts as put at the
     * last. *ret_is_new says that it was not there. */
    enum cu_err (*value_put)(void *context, struct cu_u128 hash, struct cu_bytes value,
                             uint64_t index, bool *ret_is_new);
    enum cu_err (*value_drop)(void *context, struct cu_u128 hash);
    enum cu_err (*meta_put)(void *context, const char *name, struct cu_bytes value);
    /* Marks nest once: undo everything since mark, or keep it. For transactions of several
     * operations. */
    enum cu_err (*mark)(void *context);
    enum cu_err (*undo)(void *context);
    enum cu_err (*keep)(void *context);
};

#endif
