/* lookup.h - other ways to a node, a service or a check than its own key: rows of the table of
 * indexes whose keys hold the key they lead to.
 *
 *   "default" NUL "default" NUL BY NUL KIND KEY
 *   "default" NUL "default" NUL NUL KIND BY NUL KEY     nodes by id: part of one may be asked for
 *
 * KEY is what the row's own key has behind its namespace, KIND a capital letter, so none runs into
 * a key of index.h; what is registered together lies together, on few pages of the database. The
 * rows are empty; core/derive.c and core/acl_name.c alone write them, with the rows they lead to.
 */
#ifndef CATALOG_LOOKUP_H
#define CATALOG_LOOKUP_H

#include "services/catalogd/core/backend.h"
#include "services/catalogd/core/list.h"

enum catalog_lookup {
    CATALOG_LOOKUP_NODE_ID = 'I',       /* nodes by id, 32 lower-case hexadecimal digits */
    CATALOG_LOOKUP_SERVICE_NAME = 'N',  /* services by name */
    CATALOG_LOOKUP_DESTINATION = 'D',   /* proxies by what they stand for, native ones by name */
    CATALOG_LOOKUP_CHECK_SERVICE = 'H', /* checks by service id, those of the node by "" */
    CATALOG_LOOKUP_CHECK_NAME = 'C',    /* checks by the service name they bear, where that is no
                                           longer the name of their instance (http-api.md 3.5) */
    CATALOG_LOOKUP_CHECK_STATUS = 'S', /* checks by status, but for passing: that is most of them */
    CATALOG_LOOKUP_POLICY_NAME = 'P',  /* of access control */
    CATALOG_LOOKUP_ROLE_NAME = 'R',
};

/* The key of a lookup row. `to`: the row's own key, or a prefix of it; data NULL: all of `by`.
 * data is NULL when the arena is full. */
struct cu_bytes catalog_lookup_key(struct cu_arena *arena, enum catalog_lookup kind, const char *by,
                                   struct cu_bytes to);
/* The key that a lookup row leads to, made in the arena; data is NULL when that is full, or `key`
 * none of a lookup. */
struct cu_bytes catalog_lookup_target(struct cu_arena *arena, struct cu_bytes key);

/* A node's id as lookups have it: 32 digits and a NUL. False: no UUID. */
enum { CATALOG_NODE_ID_DIGITS = 32 };
bool catalog_lookup_node_id(const char *id, char ret_digits[CATALOG_NODE_ID_DIGITS + 1]);

/* The keys that all rows under the prefix lead to, as struct cu_bytes in the arena. Errors:
 * TOO_LARGE the arena is full, or was when the prefix was made; what the backend returned. */
CU_MUST_USE enum cu_err catalog_lookup_targets(const struct catalog_backend *backend,
                                               struct cu_bytes prefix, struct cu_arena *arena,
                                               struct catalog_list *keys);
/* Whether any row has that key or one that goes on behind it. */
CU_MUST_USE enum cu_err catalog_lookup_any(const struct catalog_backend *backend,
                                           struct cu_bytes prefix, bool *ret_any);

#endif
