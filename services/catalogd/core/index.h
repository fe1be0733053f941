/* index.h - when something that is made of many rows changed last: service.web, node.n1,
 * nodes_last_removal (http-api.md 3.2).
 *
 * Bookkeeping, as the indexes of tables are (contracts 6.1): kept in memory by the apply worker and
 * written once a transaction, since a busy service moves in most entries of it. What is read there
 * is what the last flush wrote; inside apply nothing reads the table. */
#ifndef CATALOG_INDEX_H
#define CATALOG_INDEX_H

#include "services/catalogd/core/store.h"

enum { CATALOG_INDEXES_KEPT_MAX = 65536 }; /* in memory, between two transactions */

/* What it is the index of; the name of which one follows. In keys the name comes first,
 * lower-cased:
 *
 *   "default" NUL "default" NUL NAME NUL HEAD
 *
 * so that what moves together lies together. */
#define CATALOG_INDEX_NODE        "node."
#define CATALOG_INDEX_NODE_CHECKS "node_checks."
#define CATALOG_INDEX_SERVICE     "service."
/* As long as an instance or a check bears the name. */
#define CATALOG_INDEX_SERVICE_CHECKS "service_checks."
#define CATALOG_INDEX_SERVICE_KIND   "service_kind."
#define CATALOG_INDEX_CONNECT        "connect." /* by destination: proxies for it, native instances */
/* Without a name. */
#define CATALOG_INDEX_EXTINCTION     "service_last_extinction"
#define CATALOG_INDEX_NODES_REMOVAL  "nodes_last_removal"
#define CATALOG_INDEX_CHECKS_REMOVAL "checks_last_removal"

/* The row's key; data is NULL when the arena is full. */
struct cu_bytes catalog_index_key(struct cu_arena *arena, const char *head, const char *name);

/* What a reader finds; 0: no such index. */
CU_MUST_USE enum cu_err catalog_index_read(const struct catalog_backend *backend,
                                           struct cu_arena *arena, const char *head,
                                           const char *name, uint64_t *ret_index);

/* ---- inside catalog_apply() only ---- */

/* The index of the entry being applied, and a wake; or the row goes, with a wake. */
CU_MUST_USE enum cu_err catalog_index_raise(struct catalog_store *store, const char *head,
                                            const char *name);
CU_MUST_USE enum cu_err catalog_index_remove(struct catalog_store *store, const char *head,
                                             const char *name);

#endif
