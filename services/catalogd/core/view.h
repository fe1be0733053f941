/* view.h - a state that stands still, as reads see it: rows as messages, and the indexes that reads
 * report (http-api.md 3.3). */
#ifndef CATALOG_VIEW_H
#define CATALOG_VIEW_H

#include "common/base/arena.h"
#include "proto/curia/v1/acl.pb-c.h"
#include "proto/curia/v1/catalog.pb-c.h"
#include "proto/curia/v1/config.pb-c.h"
#include "proto/curia/v1/connect.pb-c.h"
#include "services/catalogd/core/bookmark.h"
#include "services/catalogd/core/list.h"

struct cu_authorizer; /* common/acl/authorizer.h */

/* What a read needs besides rows; from the bookkeeping of its snapshot. */
struct catalog_view {
    const struct catalog_backend *backend;
    uint64_t kv_index, nodes_index, services_index, checks_index; /* of the tables */
    uint64_t config_entries_index, roots_index, connect_config_index;
    uint64_t acl_policies_index, acl_roles_index, acl_tokens_index;
    uint64_t reaped_index;                  /* highest of a reaped tombstone */
    uint64_t floor_index;                   /* of the last restore or recovery, at least 1 */
    const struct cu_authorizer *authorizer; /* of who asks: what it may not see is left out */
};

/* For somebody who may see everything; set `authorizer` for others. */
struct catalog_view catalog_view_of(const struct catalog_backend *backend,
                                    const struct catalog_bookmark *bookmark);

/* As it is reported: at least that of the last restore or recovery, at least 1. */
uint64_t catalog_view_index(const struct catalog_view *view, uint64_t index);

/* The index by a name, else the one that stands for its absence (0: 1), as it is reported. */
CU_MUST_USE enum cu_err catalog_view_named_index(const struct catalog_view *view,
                                                 struct cu_arena *arena, const char *head,
                                                 const char *name, const char *absent,
                                                 uint64_t *ret_index);

/* A row of nodes, services or checks as the message of its table, indexes filled in; all of it in
 * the arena. NULL: there is none. Errors: TOO_LARGE the arena is full; what the backend returned.
 */
CU_MUST_USE enum cu_err catalog_view_get(const struct catalog_view *view, enum catalog_table table,
                                         struct cu_bytes key, struct cu_arena *arena,
                                         void *ret_message);
CU_MUST_USE enum cu_err catalog_view_unpack(enum catalog_table table, const struct catalog_row *row,
                                            struct cu_arena *arena, void *ret_message);

/* All rows under `prefix` (data NULL: of the table) as such messages, added to `list` in the order
 * of their keys. Errors as above. */
CU_MUST_USE enum cu_err catalog_view_list(const struct catalog_view *view, enum catalog_table table,
                                          struct cu_bytes prefix, struct cu_arena *arena,
                                          struct catalog_list *list);

/* Whether a node's metadata has all of the pairs; `pairs` are the entries of a map of strings. */
bool catalog_view_meta_matches(const Curia__V1__Node *node, void *pairs, size_t count);

#endif
