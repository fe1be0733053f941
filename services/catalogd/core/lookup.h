/* lookup.h - other ways to a node, a service or a check than its own key: a table of keys that hold
 * the key they lead to.
 *
 *   "default" NUL "default" NUL KIND BY NUL KEY
 *
 * KEY is what the row's own key has behind its namespace. Its rows are empty; they are written by
 * core/derive.c alone, with the rows they lead to. */
#ifndef CATALOG_LOOKUP_H
#define CATALOG_LOOKUP_H

#include "services/catalogd/core/backend.h"
#include "services/catalogd/core/list.h"

enum catalog_lookup {
    CATALOG_LOOKUP_NODE_ID = 'i',       /* nodes by id, 32 lower-case hexadecimal digits */
    CATALOG_LOOKUP_SERVICE_NAME = 'n',  /* services by name */
    CATALOG_LOOKUP_DESTINATION = 'd',   /* proxies by what they stand for, native ones by name */
    CATALOG_LOOKUP_CHECK_SERVICE = 'h', /* checks by service id, those of the node by "" */
    CATALOG_LOOKUP_CHECK_NAME = 'c',    /* checks by the service name they bear */
    CATALOG_LOOKUP_CHECK_STATUS = 's', /* checks by status, but for passing: that is most of them */
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
