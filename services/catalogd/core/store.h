/* store.h - the replicated state and its one choke point (contracts 6.1): every change of it is a
 * store_put() or a store_del(). */
#ifndef CATALOG_STORE_H
#define CATALOG_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "services/catalogd/core/backend.h"

struct catalog_store;

enum { CATALOG_SERVERS_MAX = 32, CATALOG_LINEAGE_MAX = 16, CATALOG_ID_BYTES = 16 };

struct catalog_id {
    uint8_t bytes[CATALOG_ID_BYTES];
};

struct catalog_position {
    struct catalog_id cluster; /* all zero: none */
    uint64_t index, term;      /* raw, as in the log */
};

/* Where the state stands; part of the state (contracts 3.6). `configuration` is the packed
 * curia.internal.v1.Configuration as the log brought it, `lineage` packed the same way. */
struct catalog_header {
    struct catalog_position position;
    struct cu_bytes configuration; /* borrowed from the store until the next apply */
    uint32_t lineage_count;
    struct {
        struct catalog_id cluster;
        uint64_t last_index;
    } lineage[CATALOG_LINEAGE_MAX];
};

/* Opens the state that lies in `backend` (borrowed, for the store's life), or an empty one.
 * Errors: CORRUPT bookkeeping does not decode; INVALID the state's level is above CU level of this
 * build (diag says so). */
CU_MUST_USE enum cu_err catalog_store_open(const struct catalog_backend *backend,
                                           struct catalog_store **ret_store, struct cu_diag *diag);
void catalog_store_free(struct catalog_store *store); /* takes NULL */

/* ---- reading ---- */
void catalog_store_header(const struct catalog_store *store, struct catalog_header *ret_header);
struct catalog_position catalog_store_position(const struct catalog_store *store);
uint64_t catalog_store_index_base(const struct catalog_store *store);
uint64_t catalog_store_epoch(const struct catalog_store *store);
uint64_t
catalog_store_shown_index(const struct catalog_store *store); /* of the last applied entry */
uint64_t catalog_store_table_index(const struct catalog_store *store,
                                   enum catalog_table table); /* shown; 0: never */
uint64_t catalog_store_reaped_index(
    const struct catalog_store *store); /* shown: highest of a tombstone reaped */
uint64_t catalog_store_floor_index(
    const struct catalog_store *store); /* shown: of the last restore or recovery, at least 1 */
struct cu_u128 catalog_store_hash(struct catalog_store *store);
uint64_t catalog_store_lease_ms(const struct catalog_store *store); /* of the last applied entry */

/* ---- one transaction ---- */

/* The edge opens the backend's transaction, applies entries (apply.h), then calls this to write the
 * bookkeeping, then commits. */
CU_MUST_USE enum cu_err catalog_store_flush(struct catalog_store *store);

/* What moved since the last take, in order: the wake set. */
struct catalog_wake {
    enum catalog_table table;
    bool is_prefix;      /* everything under `key` */
    struct cu_bytes key; /* malloc'd */
    uint64_t index;      /* shown */
};
struct catalog_wakes {
    struct catalog_wake *items;
    size_t count, cap;
};
struct catalog_wakes
catalog_store_take_wakes(struct catalog_store *store); /* yours: catalog_wakes_deinit */
void catalog_wakes_deinit(struct catalog_wakes *wakes);

/* ---- writing: inside catalog_apply() only ---- */

/* Who changes what and why, for the change log; set by apply for each entry. */
struct catalog_cause {
    const char *actor, *node, *daemon, *address, *cause, *reason;
    uint64_t wall_ms;
};

/* Puts a row: drops it when equal to what is there (where the table says so), sets create and
 * modify index, raises the table's index, writes the change row, adds to the wake set, updates the
 * hash. ret_changed may be NULL. */
CU_MUST_USE enum cu_err store_put(struct catalog_store *store, enum catalog_table table,
                                  struct cu_bytes key, struct cu_bytes value, bool *ret_changed);

/* Deletes a row; deleting what is not there does nothing. */
CU_MUST_USE enum cu_err store_del(struct catalog_store *store, enum catalog_table table,
                                  struct cu_bytes key, bool *ret_changed);

#endif
